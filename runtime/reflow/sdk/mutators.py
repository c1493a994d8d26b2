"""`StepMutator`, `FlowMutator`: users' decorators that change what a step or a flow is before it runs.

They work in every process that loads the flow, once its configurations are known: `pre_mutate` before what waited for
configurations is worked out, `mutate` after.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reflow.graph.types import Decorator
from reflow.sdk.parameters import Parameter, parameters_of
from reflow.sdk.steps import is_step, step_names
from reflow.sdk.wrapping import PREFIX, WRAPPERS, UserStepDecorator
from reflow.values.errors import FlowError

_MUTATORS = "__reflow_mutators__"


class _Mutator:
    """What both have in common: attributes, and that they are decorators."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self.init(*given, **named)

    def init(self, *given: Any, **named: Any) -> None:
        """Takes the decorator's attributes."""


class StepMutator(_Mutator):
    """Derive from this: `pre_mutate` and `mutate` get the step, and change its decorators."""

    def __new__(cls, *given: Any, **named: Any) -> Any:
        if len(given) == 1 and not named and is_step(given[0]):
            return cls()(given[0])
        return object.__new__(cls)

    def __call__(self, function: Any) -> Any:
        if not is_step(function):
            raise FlowError(f"@{type(self).__name__} decorates steps: put it above @step.")
        function.__dict__.setdefault(_MUTATORS, []).append(self)
        return function

    def pre_mutate(self, mutable_step: MutableStep) -> None:
        """Before what waits for configurations is worked out."""

    def mutate(self, mutable_step: MutableStep) -> None:
        """After that."""


class FlowMutator(_Mutator):
    """Derive from this: `pre_mutate` and `mutate` get the flow, and change its steps, decorators and parameters."""

    def __new__(cls, *given: Any, **named: Any) -> Any:
        if len(given) == 1 and not named and isinstance(given[0], type):
            return cls()(given[0])
        return object.__new__(cls)

    def __call__(self, flow: type) -> type:
        if not isinstance(flow, type):
            raise FlowError(f"@{type(self).__name__} decorates a flow: put it above its class.")
        setattr(flow, _MUTATORS, [*flow.__dict__.get(_MUTATORS, ()), self])
        return flow

    def pre_mutate(self, mutable_flow: MutableFlow) -> None:
        """Before what waits for configurations is worked out; may add and remove parameters."""

    def mutate(self, mutable_flow: MutableFlow) -> None:
        """After that."""


class _Decorated:
    """What a mutable step and a mutable flow share."""

    IGNORE = 1
    ERROR = 2
    OVERRIDE = 3

    def _all(self) -> list[Decorator]:
        raise NotImplementedError

    def _replace(self, decorators: list[Decorator]) -> None:
        raise NotImplementedError

    @property
    def decorator_specs(self) -> Iterator[tuple[str, str, list[Any], dict[str, Any]]]:
        """Of each decorator: its name, where it comes from, its unnamed and its named attributes."""
        for one in self._all():
            named = dict(one.attributes)
            yield one.name.removeprefix(PREFIX), one.name, list(named.pop("args", ())), named

    def remove_decorator(
        self, deco_name: str, deco_args: list[Any] | None = None, deco_kwargs: dict[str, Any] | None = None
    ) -> bool:
        """Remove the decorators of that name, with just these attributes where given; whether any was there."""

        def meant(one: Decorator) -> bool:
            named = dict(one.attributes)
            given = list(named.pop("args", ()))
            same = deco_args is None and deco_kwargs is None
            return one.name in (deco_name, PREFIX + deco_name) and (
                same or (given == list(deco_args or ()) and named == dict(deco_kwargs or {}))
            )

        kept = [one for one in self._all() if not meant(one)]
        removed = len(kept) < len(self._all())
        self._replace(kept)
        return removed

    def add_decorator(
        self,
        deco_type: Any,
        deco_args: list[Any] | None = None,
        deco_kwargs: dict[str, Any] | None = None,
        duplicates: int = IGNORE,
    ) -> bool:
        """Add a decorator: Reflow's own, a user's, or as text like `--with`; whether it was added. Raises FlowError."""
        named = dict(deco_kwargs or {})
        if isinstance(deco_type, str):
            from reflow.sdk.decospecs import parse_decospec

            deco_type, written = parse_decospec(deco_type)
            named = {**written, **named}
        name = getattr(deco_type, "_name", "") or getattr(deco_type, "name", "")
        if any(one.name in (name, PREFIX + name) for one in self._all()):
            if duplicates == self.IGNORE:
                return False
            if duplicates == self.ERROR:
                raise FlowError(f"@{name} is there already, and a mutator adds it again.")
            self.remove_decorator(name)
        self._put_on(deco_type, list(deco_args or ()), named)
        return True

    def _put_on(self, made: Any, given: list[Any], named: dict[str, Any]) -> None:
        raise NotImplementedError


class MutableStep(_Decorated):
    """A step that a mutator may change."""

    def __init__(self, flow: MutableFlow, function: Any) -> None:
        self._flow = flow
        self._function = function

    @property
    def flow(self) -> MutableFlow:
        """The flow that it is a step of."""
        return self._flow

    @property
    def name(self) -> str:
        """The step's name."""
        return str(self._function.__name__)

    def _all(self) -> list[Decorator]:
        return list(self._function.__reflow_decorators__)

    def _replace(self, decorators: list[Decorator]) -> None:
        self._function.__reflow_decorators__[:] = decorators
        names = [one.name for one in decorators]
        wrappers = self._function.__dict__.get(WRAPPERS, [])
        wrappers[:] = [one for one in wrappers if PREFIX + one._name in names]

    def _put_on(self, made: Any, given: list[Any], named: dict[str, Any]) -> None:
        made(*given, **named)(self._function)


class MutableFlow(_Decorated):
    """A flow that a mutator may change."""

    def __init__(self, flow: type) -> None:
        self._flow = flow

    @property
    def configs(self) -> Iterator[tuple[str, Any]]:
        """The configurations' names and values."""
        from reflow.sdk.finalise import seen_configs

        yield from seen_configs(self._flow).items()

    @property
    def parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters by their attributes' names."""
        yield from ((one.attribute, one) for one in parameters_of(self._flow))

    @property
    def steps(self) -> Iterator[tuple[str, MutableStep]]:
        """The steps by their names."""
        yield from ((name, MutableStep(self, getattr(self._flow, name))) for name in step_names(self._flow))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in step_names(self._flow):
            return MutableStep(self, getattr(self._flow, name))
        configs = dict(self.configs)
        return configs[name] if name in configs else getattr(self._flow, name)

    def add_parameter(self, name: str, value: Parameter, overwrite: bool = False) -> bool:
        """Add a parameter; whether it was added. Raises FlowError where the flow has such an attribute."""
        if hasattr(self._flow, name) and not overwrite:
            raise FlowError(f"The flow has a {name} already, and a mutator adds it as a parameter.")
        value.__set_name__(self._flow, name)
        setattr(self._flow, name, value)
        return True

    def remove_parameter(self, parameter_name: str) -> bool:
        """Remove a parameter of the class itself; whether it was there."""
        for name, one in list(vars(self._flow).items()):
            if isinstance(one, Parameter) and parameter_name in (name, one.name):
                delattr(self._flow, name)
                return True
        return False

    def _all(self) -> list[Decorator]:
        return list(getattr(self._flow, "__reflow_flow_decorators__", ()))

    def _replace(self, decorators: list[Decorator]) -> None:
        self._flow.__reflow_flow_decorators__ = tuple(decorators)  # type: ignore[attr-defined]

    def _put_on(self, made: Any, given: list[Any], named: dict[str, Any]) -> None:
        made(*given, **named)(self._flow)


def mutate(flow: type, *, before: bool) -> None:
    """Let the flow's mutators change it, then those of its steps, the innermost first."""
    mutable = MutableFlow(flow)
    method = "pre_mutate" if before else "mutate"
    for part in reversed(flow.__mro__):
        for one in part.__dict__.get(_MUTATORS, ()):
            getattr(one, method)(mutable)
    for _, step in list(mutable.steps):
        for one in step._function.__dict__.get(_MUTATORS, ()):
            getattr(one, method)(step)


__all__ = ["FlowMutator", "MutableFlow", "MutableStep", "StepMutator", "UserStepDecorator", "mutate"]
