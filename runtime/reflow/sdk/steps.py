"""`@step`: which methods of a flow are its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from reflow.values.errors import FlowError

F = TypeVar("F", bound=Callable[..., Any])


def step(function: F) -> F:
    """Make a method a step. It stays a plain method; decorators such as `@retry` go above `@step`."""
    if not hasattr(function, "__code__"):
        raise FlowError(
            f"@step belongs right above a method, not above {function!r}: put it below all other decorators."
        )
    function.__reflow_step__ = True  # type: ignore[attr-defined]
    function.__reflow_decorators__ = []  # type: ignore[attr-defined]
    return function


def is_step(value: object) -> bool:
    """Whether a method, bound or not, is a step."""
    return getattr(value, "__reflow_step__", False) is True


def step_names(flow: type) -> tuple[str, ...]:
    """The names of a flow class's steps: base classes' first, each in the order of its source."""
    names: dict[str, None] = {}
    for part in reversed(flow.__mro__):
        for name, value in vars(part).items():
            if is_step(value):
                names[name] = None
            else:
                names.pop(name, None)
    return tuple(names)
