"""`@timeout`: how long an attempt may take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.sdk.decorators.base import StepDecorator
from reflow.values.errors import FlowError


class Timeout(StepDecorator):
    """`seconds`, `minutes` and `hours` add up."""

    name = "timeout"
    attributes = frozenset({"seconds", "minutes", "hours"})

    def check(self, attributes: Mapping[str, Any]) -> None:
        for key, value in attributes.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise FlowError(f"@timeout({key}={value!r}): this is a number, zero or more.")


timeout = Timeout()
