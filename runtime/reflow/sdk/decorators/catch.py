"""`@catch`: let the flow go on where a step failed for good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.sdk.decorators.base import StepDecorator
from reflow.values.errors import FlowError


class Catch(StepDecorator):
    """`var`: the artifact that gets the failure (a FailureHandledByCatch). `print_exception`: show its traceback."""

    name = "catch"
    attributes = frozenset({"var", "print_exception"})

    def check(self, attributes: Mapping[str, Any]) -> None:
        var = attributes.get("var")
        if var is not None and not (isinstance(var, str) and var.isidentifier()):
            raise FlowError(f"@catch(var={var!r}): this is the name of the artifact that gets the failure.")


catch = Catch()
