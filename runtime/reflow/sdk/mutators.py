"""`StepMutator`, `FlowMutator`: users' decorators that change what a step or a flow is before it runs.

They work in every process that loads the flow, once its configurations are known: `pre_mutate` before what waited for
configurations is worked out, `mutate` after. What `pre_mutate` adds takes part at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reflow.sdk.mutable import MutableFlow, MutableStep
from reflow.sdk.steps import step_names
from reflow.sdk.wrapping import (
    MUTATORS,
    USER_SKIP_STEP,
    WRAPPERS,
    OfStep,
    UserDecorator,
    UserStepDecorator,
    user_step_decorator,
)
from reflow.values.errors import FlowError


class StepMutator(OfStep):
    """Derive from this: `pre_mutate` and `mutate` get the step, and change its decorators."""

    _mutates = True

    def pre_mutate(self, mutable_step: MutableStep) -> None:
        """Before what waits for configurations is worked out. Only here may further mutators be added."""

    def mutate(self, mutable_step: MutableStep) -> None:
        """After that."""


class FlowMutator(UserDecorator):
    """Derive from this: `pre_mutate` and `mutate` get the flow, and change its steps, decorators and parameters."""

    def __new__(cls, *given: Any, **named: Any) -> Any:
        if len(given) == 1 and not named and isinstance(given[0], type):
            made = object.__new__(cls)
            made.__init__()  # type: ignore[misc]
            return made(given[0])
        return object.__new__(cls)

    def __call__(self, flow: type) -> type:
        if not isinstance(flow, type):
            raise FlowError(f"@{self._name} decorates a flow: put it above its class.")
        setattr(flow, MUTATORS, [*flow.__dict__.get(MUTATORS, ()), self])
        return flow

    def pre_mutate(self, mutable_flow: MutableFlow) -> None:
        """Before what waits for configurations is worked out; may add and remove parameters, decorators, mutators."""

    def mutate(self, mutable_flow: MutableFlow) -> None:
        """After that."""


def begin(flow: type, configs: Mapping[str, Any]) -> None:
    """The configurations are known: users' decorators and mutators take their attributes."""
    for one in _flow_mutators(flow):
        one._begin(configs)
    for name in step_names(flow):
        kept = vars(getattr(flow, name))
        for one in (*kept.get(WRAPPERS, ()), *kept.get(MUTATORS, ())):
            one._begin(configs)


def mutate(flow: type, *, before: bool) -> None:
    """Let the flow's mutators change it, then those of its steps, the innermost first."""
    method = "pre_mutate" if before else "mutate"
    mutable = MutableFlow(flow, before=before)
    for one in _flow_mutators(flow):
        getattr(one, method)(mutable)
    for name in step_names(flow):
        function = getattr(flow, name)
        for mutator in _growing(vars(function).get(MUTATORS, [])):
            getattr(mutator, method)(MutableStep(mutable, function, before=before))


def _flow_mutators(flow: type) -> Iterator[FlowMutator]:
    for part in reversed(flow.__mro__[1:]):
        yield from part.__dict__.get(MUTATORS, ())
    seen = 0
    while seen < len(found := flow.__dict__.get(MUTATORS, ())):
        yield found[seen]
        seen += 1


def _growing(found: list[Any]) -> Iterator[Any]:
    """A list's items, also those that are added meanwhile."""
    seen = 0
    while seen < len(found):
        yield found[seen]
        seen += 1


__all__ = [
    "USER_SKIP_STEP",
    "FlowMutator",
    "MutableFlow",
    "MutableStep",
    "StepMutator",
    "UserStepDecorator",
    "mutate",
    "user_step_decorator",
]
