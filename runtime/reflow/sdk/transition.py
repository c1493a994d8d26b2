"""What a step said with `self.next(…)`, and whether that is what its source says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from reflow.graph.types import PARALLEL, Kind, Step
from reflow.sdk.exceptions import InvalidNextException
from reflow.sdk.steps import is_step
from reflow.values.dataclass import dataclass

if TYPE_CHECKING:
    from reflow.sdk.flowspec import FlowSpec


@dataclass(frozen=True, slots=True)
class Transition:
    """As `graph.types.Step` has it. `case`: the key that a switch chose, as text; `items`: a foreach's values."""

    kind: Kind
    targets: tuple[str, ...]
    foreach: str | None = None
    condition: str | None = None
    cases: tuple[tuple[str, str], ...] = ()
    case: str | None = None
    items: Iterable[Any] | None = None


def read_next(flow: FlowSpec, step: str, targets: tuple[Any, ...], options: Mapping[str, Any]) -> Transition:
    """Understand the arguments of `self.next(…)` in `step`. Raises InvalidNextException."""
    rest = {name: value for name, value in options.items() if value is not None}
    foreach, condition = rest.pop("foreach", None), rest.pop("condition", None)
    gang = rest.pop(PARALLEL, None)
    if rest:
        raise InvalidNextException(f"Step {step}: self.next(…) takes no {sorted(rest)[0]!r}.")
    if condition is not None or (len(targets) == 1 and isinstance(targets[0], Mapping)):
        return _switch(flow, step, targets, condition, foreach)
    names = tuple(_target(flow, step, target) for target in targets)
    if not names:
        raise InvalidNextException(f"Step {step}: self.next() names no step to go to.")
    if len(set(names)) < len(names):
        raise InvalidNextException(f"Step {step}: self.next(…) names the same step twice.")
    if gang is not None:
        return _gang(step, names, gang)
    if foreach is not None:
        return _foreach(flow, step, names, foreach)
    return Transition(Kind.LINEAR if len(names) == 1 else Kind.SPLIT, names)


def _target(flow: FlowSpec, step: str, target: Any) -> str:
    if not is_step(target):
        raise InvalidNextException(
            f"Step {step}: self.next(…) got {target!r}, which isn't a step. Name steps as self.next(self.other_step)."
        )
    name: str = target.__name__
    if getattr(target, "__self__", None) is not flow:
        raise InvalidNextException(
            f"Step {step}: self.next(…) names {name} of something else: write self.{name}."
        )
    return name


def _foreach(flow: FlowSpec, step: str, names: tuple[str, ...], variable: Any) -> Transition:
    if len(names) != 1:
        raise InvalidNextException(f"Step {step}: a foreach goes to one step, not to {len(names)}.")
    if not isinstance(variable, str):
        raise InvalidNextException(
            f"Step {step}: foreach= is the name of an attribute as text, such as foreach='items', not {variable!r}."
        )
    try:
        items = getattr(flow, variable)
    except AttributeError:
        raise InvalidNextException(
            f"Step {step}: there is no self.{variable} for foreach={variable!r}: set it before self.next(…)."
        ) from None
    if not hasattr(items, "__iter__") and not hasattr(items, "__getitem__"):
        raise InvalidNextException(
            f"Step {step}: self.{variable} is of type {type(items).__name__}, which foreach={variable!r} can't go "
            "over: it must be a list or another iterable."
        )
    if hasattr(items, "__len__") and len(items) == 0:
        raise InvalidNextException(no_items(step, variable))
    return Transition(Kind.FOREACH, names, foreach=variable, items=items)


def _gang(step: str, names: tuple[str, ...], wanted: Any) -> Transition:
    if len(names) != 1:
        raise InvalidNextException(f"Step {step}: num_parallel= goes to one step, not to {len(names)}.")
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise InvalidNextException(
            f"Step {step}: num_parallel={wanted!r}: this is a whole number, 1 or more."
        )
    return Transition(Kind.FOREACH, names, foreach=PARALLEL, items=range(wanted))


def no_items(step: str, variable: str) -> str:
    """The message where a foreach has nothing to go over."""
    return f"Step {step}: self.{variable} is empty, so foreach={variable!r} has no tasks to start. Check the variable."


def _switch(flow: FlowSpec, step: str, targets: tuple[Any, ...], condition: Any, foreach: Any) -> Transition:
    if foreach is not None:
        raise InvalidNextException(
            f"Step {step}: self.next(…) takes either condition= or foreach=, not both."
        )
    if not isinstance(condition, str) or len(targets) != 1 or not isinstance(targets[0], Mapping):
        raise InvalidNextException(
            f"Step {step}: a switch is written as self.next({{value: self.a, other: self.b}}, condition='attribute')."
        )
    cases = {key: _target(flow, step, target) for key, target in targets[0].items()}
    try:
        value = getattr(flow, condition)
    except AttributeError:
        raise InvalidNextException(
            f"Step {step}: there is no self.{condition} for condition={condition!r}: set it before self.next(…)."
        ) from None
    try:
        known = value in cases
    except TypeError:
        known = False
    if not known:
        listed = ", ".join(map(repr, cases))
        raise InvalidNextException(
            f"Step {step}: self.{condition} is {value!r}, and the switch knows only {listed}."
        )
    chosen = next(key for key in cases if key == value)
    texts = tuple((case_text(key), target) for key, target in cases.items())
    return Transition(
        Kind.SWITCH,
        tuple(dict.fromkeys(cases.values())),
        condition=condition,
        cases=texts,
        case=case_text(chosen),
    )


def case_text(key: Any) -> str:
    """A switch's key as the graph and the records have it."""
    return str(key)


def check_transition(done: Transition | None, step: Step) -> None:
    """Raise InvalidNextException where a step went elsewhere than its source says, or nowhere."""
    if done is None:
        if step.kind is not Kind.END:
            raise InvalidNextException(
                f"Step {step.name} ended without self.next(…): by its source it goes on to {_listed(step.targets)}. "
                "Call self.next(…) as the last thing in the step, whatever happens before."
            )
        return
    if step.kind is Kind.END:
        raise InvalidNextException(f"Step {step.name} is the last one and can't call self.next(…).")
    same = (
        done.kind is step.kind
        and done.targets == step.targets
        and done.foreach == step.foreach
        and done.condition == step.condition
        and dict(done.cases) == dict(step.cases)
    )
    if not same:
        raise InvalidNextException(
            f"Step {step.name} went on to {_told(done)}, but by its source it goes to {_told(step)}. "
            "There must be one self.next(…), as the last thing in the step, and not under a condition."
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _told(way: Transition | Step) -> str:
    if way.foreach:
        return f"{_listed(way.targets)} (foreach={way.foreach!r})"
    if way.condition:
        return f"{_listed(way.targets)} (condition={way.condition!r})"
    return _listed(way.targets)
