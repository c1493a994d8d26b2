"""`@environment`: variables that a step's process has in its environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.sdk.decorators.base import StepDecorator
from reflow.values.errors import FlowError


class Environment(StepDecorator):
    """`vars`: names and values, both text."""

    name = "environment"
    attributes = frozenset({"vars"})

    def check(self, attributes: Mapping[str, Any]) -> None:
        wanted = attributes.get("vars", {})
        if not isinstance(wanted, Mapping):
            raise FlowError(f"@environment(vars={wanted!r}): this is a dictionary of names and values.")
        for name, value in wanted.items():
            if value is None or "=" in name or not name:
                raise FlowError(f"@environment(vars=…): {name!r} can't be set to {value!r}; both are text.")


environment = Environment()
