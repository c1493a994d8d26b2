"""`@step`: which methods of a flow are its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from reflow.values.errors import FlowError

F = TypeVar("F", bound=Callable[..., Any])


@overload
def step(function: F, /) -> F: ...
@overload
def step(
    function: None = None, /, *, start: bool = False, end: bool = False, node_info: Any = None
) -> Callable[[F], F]: ...
def step(
    function: F | None = None, /, *, start: bool = False, end: bool = False, node_info: Any = None
) -> F | Callable[[F], F]:
    """Make a method a step. It stays a plain method; decorators such as `@retry` go above `@step`.

    `@step(start=True)`: the flow begins with it, though it isn't called `start`; `@step(end=True)`: it ends with it.
    """
    if function is None:
        return lambda function: _step(function, start, end)
    return _step(function, start, end)


def _step(function: F, starts: bool, ends: bool) -> F:
    if not hasattr(function, "__code__"):
        raise FlowError(
            f"@step belongs right above a method, not above {function!r}: put it below all other decorators."
        )
    function.__reflow_step__ = True  # type: ignore[attr-defined]
    function.__reflow_decorators__ = []  # type: ignore[attr-defined]
    function.__reflow_starts__ = starts  # type: ignore[attr-defined]
    function.__reflow_ends__ = ends  # type: ignore[attr-defined]
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
