"""What all decorators are: a name and checked attributes, kept on the step or the flow class. They wrap nothing.

Who acts on one reads it from the graph: the engine's policies, the Pod's template, the task. One file each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, overload

from reflow.graph.types import Decorator
from reflow.sdk.deferred import UNPACKED, is_deferred, worked_out
from reflow.sdk.steps import is_step
from reflow.values.errors import FlowError

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, str | int | float | bool)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    return value


class Declared:
    """The part that step and flow decorators share: a name, the attributes it takes, and what they may be."""

    name: ClassVar[str]
    attributes: ClassVar[frozenset[str] | None] = None
    """The attributes' names; None takes any (decorators that another system acts on, such as `@batch`)."""

    def check(self, attributes: Mapping[str, Any]) -> None:
        """Raise FlowError where an attribute's value makes no sense. For subclasses."""

    def declare(self, attributes: Mapping[str, Any]) -> Decorator:
        """The checked decorator. Raises FlowError."""
        given = {key for key in attributes if not key.startswith(UNPACKED)}
        unknown = sorted(given - self.attributes) if self.attributes is not None else []
        if unknown:
            known = ", ".join(sorted(self.attributes or ())) or "none"
            raise FlowError(f"@{self.name} takes no {unknown[0]!r}; it takes {known}.")
        if is_deferred(attributes):
            return Decorator(
                self.name, {k: v if is_deferred(v) else self.plain(k, v) for k, v in attributes.items()}
            )
        self.check(attributes)
        return Decorator(self.name, {key: self.plain(key, value) for key, value in attributes.items()})

    def settled(self, decorator: Decorator, configs: Mapping[str, Any]) -> Decorator:
        """The decorator, with what waited for the flow's configurations. Raises FlowError."""
        if not is_deferred(decorator.attributes):
            return decorator
        found: dict[str, Any] = {}
        for key, value in decorator.attributes.items():
            found.update(worked_out({key: value}, configs, f"@{self.name}({key}=…)"))
        return self.declare(found)

    def plain(self, key: str, value: Any) -> Any:
        """An attribute as a JSON value. Raises FlowError where it isn't one."""
        if not _is_plain(value):
            raise FlowError(
                f"@{self.name}({key}=…) is a {type(value).__name__}: a decorator's attributes are text, numbers, "
                "true/false, or lists and dictionaries of these."
            )
        return _plain(value)


class StepDecorator(Declared):
    """A decorator of a step, used as `@retry` or `@retry(times=2)`, above `@step`."""

    @overload
    def __call__(self, function: F, /) -> F: ...
    @overload
    def __call__(self, function: None = None, /, **attributes: Any) -> Callable[[F], F]: ...
    def __call__(self, function: F | None = None, /, **attributes: Any) -> F | Callable[[F], F]:
        if function is not None:
            return self._add(function, self.declare({}))
        decorator = self.declare(attributes)
        return lambda function: self._add(function, decorator)

    def _add(self, function: F, decorator: Decorator) -> F:
        if not is_step(function):
            name = getattr(function, "__name__", repr(function))
            raise FlowError(f"@{self.name} decorates steps: put it above @step on {name!r}.")
        function.__reflow_decorators__.append(decorator)  # type: ignore[attr-defined]
        return function


class FlowDecorator(Declared):
    """A decorator of a flow class, used as `@schedule(daily=True)`."""

    @overload
    def __call__(self, flow: C, /) -> C: ...
    @overload
    def __call__(self, flow: None = None, /, **attributes: Any) -> Callable[[C], C]: ...
    def __call__(self, flow: C | None = None, /, **attributes: Any) -> C | Callable[[C], C]:
        if flow is not None:
            return self._add(flow, self.declare({}))
        decorator = self.declare(attributes)
        return lambda flow: self._add(flow, decorator)

    def _add(self, flow: C, decorator: Decorator) -> C:
        if not isinstance(flow, type):
            raise FlowError(f"@{self.name} decorates a flow: put it above its class.")
        inherited = getattr(flow, "__reflow_flow_decorators__", ())
        flow.__reflow_flow_decorators__ = (decorator, *inherited)  # type: ignore[attr-defined]
        return flow
