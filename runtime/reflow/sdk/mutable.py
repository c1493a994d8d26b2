"""`MutableFlow`, `MutableStep`: what a mutator gets, to look at a flow or a step and to change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reflow.graph.types import Decorator
from reflow.sdk.parameters import Parameter, parameters_of
from reflow.sdk.steps import step_names
from reflow.sdk.wrapping import MUTATORS, PREFIX, WRAPPERS, UserDecorator
from reflow.values.errors import FlowError

Specification = tuple[str, str, list[Any], dict[str, Any]]
_SEVERAL = frozenset({"card"})  # decorators that a step may have several of


class _Decorated:
    """What a mutable step and a mutable flow share."""

    IGNORE = 1
    ERROR = 2
    OVERRIDE = 3

    _before: bool

    def _all(self) -> list[Decorator]:
        raise NotImplementedError

    def _replace(self, decorators: list[Decorator]) -> None:
        raise NotImplementedError

    def _mutators(self) -> list[Any]:
        raise NotImplementedError

    @property
    def decorator_specs(self) -> Iterator[Specification]:
        """Of each decorator: its name, its full name, its unnamed and its named attributes. Mutators count."""
        for one in self._all():
            yield _specification(one)
        for mutator in self._mutators():
            if not getattr(mutator, "_wraps", False):
                yield _specification(mutator._specification())

    def get_decorator_specs(self, name: str) -> list[Specification]:
        """Those of that name: its own, or with the module before it."""
        return [one for one in self.decorator_specs if _is_named(one, name)]

    def has_decorator(self, name: str) -> bool:
        """Whether there is a decorator of that name."""
        return bool(self.get_decorator_specs(name))

    def remove_decorator(
        self, deco_name: str, deco_args: list[Any] | None = None, deco_kwargs: dict[str, Any] | None = None
    ) -> bool:
        """Remove the decorators of that name, with just these attributes where given; whether any was there.

        Raises FlowError for a mutator that isn't removed in `pre_mutate`.
        """

        def is_meant(one: Decorator) -> bool:
            found = _specification(one)
            same = deco_args is None and deco_kwargs is None
            return _is_named(found, deco_name) and (
                same or found[2:] == (list(deco_args or ()), dict(deco_kwargs or {}))
            )

        kept = [one for one in self._all() if not is_meant(one)]
        mutators = self._mutators()
        staying = [one for one in mutators if not is_meant(one._specification())]
        if len(staying) < len(mutators):
            self._only_before(f"Removing the mutator {deco_name}")
        removed = len(kept) < len(self._all()) or len(staying) < len(mutators)
        mutators[:] = staying
        self._replace(kept)
        return removed

    def add_decorator(
        self,
        deco_type: Any,
        deco_args: list[Any] | None = None,
        deco_kwargs: dict[str, Any] | None = None,
        duplicates: int = IGNORE,
    ) -> Any:
        """Add a decorator: Reflow's own, a user's, a mutator, or as text like `--with`. What was added, None where it
        wasn't: a decorator of that name was there, and `duplicates` is IGNORE. Raises FlowError.
        """
        self._check_adding(deco_type)
        named = dict(deco_kwargs or {})
        if isinstance(deco_type, str):
            deco_type, written = self._found(deco_type)
            if written and (deco_args or named):
                raise FlowError("add_decorator takes attributes either in the text or besides it, not both.")
            named = named or written
        name = getattr(deco_type, "_name", "") or getattr(deco_type, "name", "")
        if name not in _SEVERAL and self.has_decorator(name):
            if duplicates == self.IGNORE:
                return None
            if duplicates == self.ERROR:
                raise FlowError(f"@{name} is there already, and a mutator adds it again.")
            self.remove_decorator(name)
        return self._put_on(deco_type, list(deco_args or ()), named)

    def _check_adding(self, deco_type: Any) -> None:
        """Raise FlowError where none may be added."""

    def _found(self, text: str) -> tuple[Any, dict[str, Any]]:
        raise NotImplementedError

    def _put_on(self, made: Any, given: list[Any], named: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _only_before(self, what: str) -> None:
        if not self._before:
            raise FlowError(f"{what} is only allowed in the `pre_mutate` method, not in `mutate`.")


def _specification(one: Decorator) -> Specification:
    named = dict(one.attributes)
    given = list(named.pop("args", ())) if one.name.startswith(PREFIX) else []
    full = one.name.removeprefix(PREFIX)
    return full.rpartition(".")[2], full, given, named


def _is_named(found: Specification, name: str) -> bool:
    return name.removeprefix(PREFIX) in found[:2]


class MutableStep(_Decorated):
    """A step that a mutator may change."""

    def __init__(self, flow: MutableFlow, function: Any, *, before: bool = True) -> None:
        self._flow = flow
        self._function = function
        self._before = before

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

    def _mutators(self) -> list[Any]:
        found: list[Any] = self._function.__dict__.setdefault(MUTATORS, [])
        return found

    def _replace(self, decorators: list[Decorator]) -> None:
        self._function.__reflow_decorators__[:] = decorators
        names = [one.name for one in decorators]
        wrappers = self._function.__dict__.get(WRAPPERS, [])
        wrappers[:] = [one for one in wrappers if PREFIX + one._name in names]

    def _found(self, text: str) -> tuple[Any, dict[str, Any]]:
        from reflow.sdk.decospecs import parse_decospec

        return parse_decospec(text)

    def _put_on(self, made: Any, given: list[Any], named: dict[str, Any]) -> Any:
        if isinstance(made, type) and issubclass(made, UserDecorator):
            added: Any = made(*given, **named)
            if getattr(made, "_mutates", False):
                self._only_before(f"Adding the mutator {added.decorator_name}")
            added(self._function)
            added._begin(dict(self._flow.configs))
            return added
        if given:
            raise FlowError(f"@{getattr(made, 'name', made)} takes named attributes only.")
        made(**named)(self._function)
        return self._function.__reflow_decorators__[-1]


class MutableFlow(_Decorated):
    """A flow that a mutator may change."""

    def __init__(self, flow: type, *, before: bool = True) -> None:
        self._flow = flow
        self._before = before

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
        yield from ((name, self._step(name)) for name in step_names(self._flow))

    def _step(self, name: str) -> MutableStep:
        return MutableStep(self, getattr(self._flow, name), before=self._before)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in step_names(self._flow):
            return self._step(name)
        from reflow.sdk.finalise import seen_by_attribute

        configs = {**dict(self.configs), **seen_by_attribute(self._flow)}
        return configs[name] if name in configs else getattr(self._flow, name)

    def add_parameter(self, name: str, value: Parameter, overwrite: bool = False) -> bool:
        """Add a parameter. Raises FlowError where the flow has such an attribute, and outside of `pre_mutate`."""
        self._only_before(f"Adding the parameter {name}")
        if hasattr(self._flow, name) and not overwrite:
            raise FlowError(f"The flow has a {name} already, and a mutator adds it as a parameter.")
        if not isinstance(value, Parameter):
            raise FlowError(f"add_parameter takes a Parameter, or an IncludeFile, not {value!r}.")
        value.__set_name__(self._flow, name)
        setattr(self._flow, name, value)
        return True

    def remove_parameter(self, parameter_name: str) -> bool:
        """Remove a parameter of the class itself; whether it was there. Raises FlowError outside of `pre_mutate`."""
        self._only_before(f"Removing the parameter {parameter_name}")
        for name, one in list(vars(self._flow).items()):
            if isinstance(one, Parameter) and parameter_name in (name, one.name):
                delattr(self._flow, name)
                return True
        return False

    def _all(self) -> list[Decorator]:
        return list(getattr(self._flow, "__reflow_flow_decorators__", ()))

    def _mutators(self) -> list[Any]:
        if MUTATORS not in self._flow.__dict__:
            setattr(self._flow, MUTATORS, [])
        found: list[Any] = self._flow.__dict__[MUTATORS]
        return found

    def _replace(self, decorators: list[Decorator]) -> None:
        self._flow.__reflow_flow_decorators__ = tuple(decorators)  # type: ignore[attr-defined]

    def _found(self, text: str) -> tuple[Any, dict[str, Any]]:
        from reflow.sdk.decospecs import parse_flow_decospec

        return parse_flow_decospec(text)

    def _check_adding(self, deco_type: Any) -> None:
        named = getattr(deco_type, "_name", "") or getattr(deco_type, "name", deco_type)
        self._only_before(f"Adding @{named} to the flow")

    def _put_on(self, made: Any, given: list[Any], named: dict[str, Any]) -> Any:
        if isinstance(made, type) and issubclass(made, UserDecorator):
            added = made(*given, **named)
            added._begin(dict(self.configs))
            self._mutators().append(added)
            return added
        made(*given, **named)(self._flow)
        return self._all()[0]
