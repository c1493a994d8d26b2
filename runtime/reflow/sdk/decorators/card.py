"""`@card`: a report that the step leaves. A step may have several, told apart by their ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reflow.sdk.decorators.base import StepDecorator
from reflow.values.errors import FlowError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")


class Card(StepDecorator):
    """`type`: default, blank, html, or a MetaflowCard of one's own; `options`: for it; `timeout`: in seconds."""

    name = "card"
    attributes = frozenset(
        {"type", "id", "options", "timeout", "customize", "save_errors", "refresh_interval", "scope"}
    )

    def check(self, attributes: Mapping[str, Any]) -> None:
        for key, pattern in (("type", _NAME), ("id", _ID)):
            value = attributes.get(key)
            if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
                raise FlowError(
                    f"@card({key}={value!r}): this is a text of up to 100 letters (A-Z, a-z), digits, _ and -."
                )
        for key in ("timeout", "refresh_interval"):
            value = attributes.get(key, 1)
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise FlowError(f"@card({key}={value!r}): this is a number of seconds, zero or more.")
        options = attributes.get("options")
        if options is not None and not isinstance(options, Mapping):
            raise FlowError(f"@card(options={options!r}): this is a dictionary.")


card = Card()
