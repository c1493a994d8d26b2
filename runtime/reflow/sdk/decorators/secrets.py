"""`@secrets`: values from outside that a step has in its environment, and that are shown nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.sdk.decorators.base import StepDecorator
from reflow.values.errors import FlowError

KINDS = ("env", "file", "kubernetes", "inline")


class Secrets(StepDecorator):
    """`sources`: a list of `env:NAME` (a variable of who starts the step), `file:PATH` (lines of NAME=value, or JSON),
    `kubernetes:NAME` (a Secret: each of its keys is a variable)."""

    name = "secrets"
    attributes = frozenset({"sources", "role", "allow_override"})

    def check(self, attributes: Mapping[str, Any]) -> None:
        sources = attributes.get("sources", [])
        if not isinstance(sources, list | tuple):
            raise FlowError(f"@secrets(sources={sources!r}): this is a list.")
        for one in sources:
            parsed(one)


def parsed(source: Any) -> tuple[str, str, Mapping[str, Any]]:
    """A source's kind, name and options. Raises FlowError where it isn't one."""
    if isinstance(source, str):
        kind, colon, name = source.partition(":")
        if colon and name and kind in ("env", "file", "kubernetes"):
            return kind, name, {}
    elif isinstance(source, Mapping) and source.get("type") in KINDS:
        return str(source["type"]), str(source.get("id", "")), dict(source.get("options") or {})
    raise FlowError(
        f"@secrets(sources=[{source!r}]): this is no source of secrets. There are 'env:NAME', 'file:PATH' and "
        "'kubernetes:NAME'."
    )


secrets = Secrets()
