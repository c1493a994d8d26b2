"""The rules about the shape of the whole graph: what is reached, what ends, loops, splits and their joins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from reflow.graph.loops import TwoEntries, loops
from reflow.graph.nesting import Conflict, Fault, nest
from reflow.graph.types import Kind, Step
from reflow.values.dataclass import dataclass

Steps = Mapping[str, Step]


class Whole(NamedTuple):
    """The steps, and the first and the last of them."""

    steps: Steps
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence for the user, and the step that it is about."""

    message: str
    step: str
    line: int


Rule = Callable[[Whole], Iterable[Problem]]


def every_step_is_reached(whole: Whole) -> Iterator[Problem]:
    reached = reachable(whole.steps, whole.start)
    for step in whole.steps.values():
        if step.name not in reached:
            yield _problem(
                step, f"Nothing leads to step '{step.name}'. Let a step go to it by self.next, or remove it."
            )


def cycles_have_a_switch(whole: Whole) -> Iterator[Problem]:
    steps = whole.steps
    without = {
        name: [target for target in step.targets if steps[target].kind is not Kind.SWITCH]
        for name, step in steps.items()
        if step.kind is not Kind.SWITCH
    }
    cycle = _cycle(without)
    if cycle:
        path = " → ".join([*cycle, cycle[0]])
        yield _problem(
            steps[cycle[0]],
            f"The steps {path} go round in a circle that never ends. A loop needs a switch in it that can"
            " leave:"
            " self.next({True: self.again, False: self.done}, condition='<artifact>').",
        )


def every_step_can_reach_the_end(whole: Whole) -> Iterator[Problem]:
    steps = whole.steps
    sources: dict[str, list[str]] = {name: [] for name in steps}
    for step in steps.values():
        for target in step.targets:
            sources[target].append(step.name)
    finishing = _closure(sources, whole.end)
    for step in steps.values():
        if step.name not in finishing:
            yield _problem(
                step,
                f"No way leads from step '{step.name}' to step '{whole.end}'. Add a case that leaves the loop.",
            )


def loops_have_one_entry(whole: Whole) -> Iterator[Problem]:
    steps = whole.steps
    try:
        loops({name: step.targets for name, step in steps.items()}, whole.start)
    except TwoEntries as entries:
        yield _problem(
            steps[entries.source],
            f"Step '{entries.source}' goes back to '{entries.header}', but that loop can also be entered"
            " elsewhere than"
            f" at '{entries.header}'. A loop is entered at one step only.",
        )


def splits_and_joins_match(whole: Whole) -> Iterator[Problem]:
    steps = whole.steps
    for conflict in nest(steps, whole.start).conflicts:
        yield _problem(steps[conflict.step], _SENTENCES[conflict.fault](conflict, steps))


def _nothing_to_join(conflict: Conflict, steps: Steps) -> str:
    return (
        f"Step '{conflict.step}' takes inputs but has nothing to join: no split or foreach before it is"
        " still open."
        f" Write it as def {conflict.step}(self), or split before it."
    )


def _no_inputs(conflict: Conflict, steps: Steps) -> str:
    return (
        f"In step '{conflict.step}' the branches {_listed(conflict.others)} of the split in"
        f" '{conflict.split}' meet, so"
        f" it is a join, but it takes no inputs. Write it as def {conflict.step}(self, inputs)."
    )


def _crossed(conflict: Conflict, steps: Steps) -> str:
    return (
        f"Step '{conflict.step}' is reached from {_listed(conflict.others)}, which stand in different"
        " branches or splits."
        " Each split has to be joined by its own join before its branches meet any others."
    )


def _missing_branch(conflict: Conflict, steps: Steps) -> str:
    return (
        f"Step '{conflict.step}' joins the split in '{conflict.split}', but doesn't get all of its branches:"
        f" {_listed(conflict.others)} doesn't lead to it. Let every branch of the split come to the same"
        " join."
    )


def _joined_twice(conflict: Conflict, steps: Steps) -> str:
    what = _word(steps[conflict.split])
    joins = _listed(conflict.others)
    return f"The {what} in '{conflict.split}' is joined in {joins}. It needs exactly one join."


def _never_joined(conflict: Conflict, steps: Steps) -> str:
    what = _word(steps[conflict.split])
    return (
        f"The {what} in '{conflict.split}' is never joined. A step between it and end has to take inputs:"
        " def join(self, inputs)."
    )


def _foreach_into_join(conflict: Conflict, steps: Steps) -> str:
    return (
        f"The foreach in '{conflict.split}' goes straight to '{conflict.step}', which takes inputs. Put a"
        " step between"
        " them that works on one item."
    )


_SENTENCES: Mapping[Fault, Callable[[Conflict, Steps], str]] = {
    Fault.NOTHING_TO_JOIN: _nothing_to_join,
    Fault.NO_INPUTS: _no_inputs,
    Fault.CROSSED: _crossed,
    Fault.MISSING_BRANCH: _missing_branch,
    Fault.JOINED_TWICE: _joined_twice,
    Fault.NEVER_JOINED: _never_joined,
    Fault.FOREACH_INTO_JOIN: _foreach_into_join,
}


def _word(step: Step) -> str:
    return "foreach" if step.kind is Kind.FOREACH else "split"


def _listed(names: Iterable[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _problem(step: Step, message: str) -> Problem:
    return Problem(message, step.name, step.line)


def reachable(steps: Steps, first: str) -> set[str]:
    """The step itself and all after it."""
    return _closure({name: step.targets for name, step in steps.items()}, first)


def _closure(targets: Mapping[str, Iterable[str]], first: str) -> set[str]:
    found = {first}
    waiting = [first]
    while waiting:
        for target in targets[waiting.pop()]:
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _cycle(targets: Mapping[str, list[str]]) -> list[str]:
    """Some cycle, empty where there is none."""
    done: set[str] = set()
    for first in targets:
        path, rests = [first], [iter(targets[first])]
        while rests and first not in done:
            target = next(rests[-1], None)
            if target is None:
                done.add(path.pop())
                rests.pop()
            elif target in path:
                return path[path.index(target) :]
            elif target not in done:
                path.append(target)
                rests.append(iter(targets[target]))
    return []


_LAYERS: tuple[tuple[Rule, ...], ...] = (
    (cycles_have_a_switch,),
    (every_step_is_reached, every_step_can_reach_the_end),
    (loops_have_one_entry,),
    (splits_and_joins_match,),
)


def shape_problems(steps: Steps, start: str = "start", end: str = "end") -> list[Problem]:
    """What is wrong with the shape of steps whose targets all exist; only of the first kind found."""
    whole = Whole(steps, start, end)
    for rules in _LAYERS:
        found = [problem for rule in rules for problem in rule(whole)]
        if found:
            return found
    return []
