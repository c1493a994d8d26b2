"""What a resume takes over from its origin, and what runs again although it had finished.

A task is cloned if it succeeded, its step stands where it stood and its transition is of the same kind in the
new graph, no step that is to run again comes before it, and every task that it took input from is cloned. So
both folds, over the old graph and over the new one, have to reach it by cloned tasks alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reflow.engine.edges import START
from reflow.engine.events import Succeeded
from reflow.engine.reach import Reach, is_possible
from reflow.graph.lint_shape import reachable
from reflow.graph.types import Graph, Kind, Step
from reflow.values.errors import FlowError
from reflow.values.key import TaskKey


@dataclass(frozen=True, slots=True)
class Again:
    """`count` finished tasks of a step that aren't cloned. `why`: to follow "runs again: ". `gone`: the new
    flow has no such step, so nothing of it runs at all."""

    step: str
    count: int
    why: str
    gone: bool = False

    def __str__(self) -> str:
        tasks = "1 task" if self.count == 1 else f"{self.count} tasks"
        if self.gone:
            return f"{self.step}: {tasks} left out: {self.why}"
        return f"{self.step}: {tasks} {'runs' if self.count == 1 else 'run'} again: {self.why}"


@dataclass(frozen=True, slots=True)
class ClonePlan:
    """`cloned`: parents before their children. `again`: all other finished tasks, grouped by step and
    reason."""

    cloned: tuple[Succeeded, ...]
    again: tuple[Again, ...]


def plan_clone(
    old: Graph, new: Graph, finished: Iterable[Succeeded], from_step: str | None = None
) -> ClonePlan:
    """Decide it in O(tasks). `finished`: the origin's tasks that have a result, its own clones included.

    `from_step`: run this step and all after it again. One after the step that failed means the failed one,
    since there is nothing to clone after that. Raises FlowError where the new flow has no such step.
    """
    if from_step is not None and from_step not in new.steps:
        raise FlowError(
            f"The flow {new.flow} has no step '{from_step}' to resume from. Its steps are"
            f" {', '.join(new.steps)}."
        )
    ends = {end.key: end for end in finished}
    renewed = reachable(new.steps, from_step) if from_step is not None else set()
    barred = {name: _why_barred(step, new, from_step, renewed) for name, step in old.steps.items()}
    cloned, reached_in_old = _closed(old, new, ends, barred)
    again = _again(old, new, ends, barred, cloned, reached_in_old)
    return ClonePlan(tuple(cloned.values()), again)


def _why_barred(step: Step, new: Graph, from_step: str | None, renewed: set[str]) -> str:
    """Why no task of the step can be cloned, whatever became of its input; empty if they can."""
    now = new.steps.get(step.name)
    if now is None:
        return "the flow no longer has that step"
    if step.name in renewed:
        return "the resume starts from it" if step.name == from_step else f"it comes after '{from_step}'"
    if _transition(step) != _transition(now):
        return f"it now goes on by {_described(now)}, before it was {_described(step)}"
    if step.is_join != now.is_join:
        return "it is now a join" if now.is_join else "it is no longer a join"
    if step.foreach_scope != now.foreach_scope:
        return "it stands in another foreach than before"
    if step.loop_scope != now.loop_scope:
        return "it stands in another loop than before"
    return ""


def _transition(step: Step) -> tuple[Kind, str | None, str | None]:
    return step.kind, step.foreach, step.condition


def _described(step: Step) -> str:
    match step.kind:
        case Kind.FOREACH:
            return f"a foreach over '{step.foreach}'"
        case Kind.SWITCH:
            return f"a switch on '{step.condition}'"
        case Kind.SPLIT:
            return "a split"
        case Kind.END:
            return "the end of the flow"
        case Kind.LINEAR:
            return "a single step"


def _lost_case(step: Step, end: Succeeded) -> bool:
    """Whether a switch's choice is no longer a case of the new step."""
    return step.kind is Kind.SWITCH and end.case not in dict(step.cases)


def _closed(
    old: Graph, new: Graph, ends: Mapping[TaskKey, Succeeded], barred: Mapping[str, str]
) -> tuple[dict[TaskKey, Succeeded], set[TaskKey]]:
    """The tasks that both graphs reach by cloned tasks alone, and all that the old one does."""
    before, after = Reach(old), Reach(new)
    in_old, in_new = {START}, {START}
    cloned: dict[TaskKey, Succeeded] = {}
    waiting = [START]
    while waiting:
        key = waiting.pop()
        end = ends.get(key)
        if end is None or key in cloned or not (key in in_old and key in in_new):
            continue
        if not _may(key, end, old, new, barred):
            continue
        try:
            old_children = before.passed(key, end.width, end.case)
        except FlowError:
            continue  # a record that its own graph can't have made: not to be built on
        new_children = after.passed(key, end.width, end.case)
        cloned[key] = end
        in_old.update(old_children)
        in_new.update(new_children)
        # Where a child is reached by only one of the two yet, the other's turn puts it here again.
        waiting.extend(dict.fromkeys((*reversed(new_children), *reversed(old_children))))
    return cloned, in_old


def _may(key: TaskKey, end: Succeeded, old: Graph, new: Graph, barred: Mapping[str, str]) -> bool:
    return (
        not barred.get(key.step, "gone")
        and is_possible(old, key)
        and not _lost_case(new.steps[key.step], end)
    )


def _again(
    old: Graph,
    new: Graph,
    ends: Mapping[TaskKey, Succeeded],
    barred: Mapping[str, str],
    cloned: Mapping[TaskKey, Succeeded],
    reached_in_old: set[TaskKey],
) -> tuple[Again, ...]:
    left = [end for end in ends.values() if end.key not in cloned and end.key.step in old.steps]
    left_steps = {end.key.step for end in left}
    groups: dict[tuple[str, str], int] = {}
    for end in left:
        step = end.key.step
        why = barred[step] or _why_left(end, old, new, left_steps, end.key in reached_in_old)
        groups[step, why] = groups.get((step, why), 0) + 1
    order = {name: place for place, name in enumerate(old.steps)}
    return tuple(
        Again(step, count, why, gone=step not in new.steps)
        for (step, why), count in sorted(groups.items(), key=lambda item: order[item[0][0]])
    )


def _why_left(end: Succeeded, old: Graph, new: Graph, left_steps: set[str], reached_in_old: bool) -> str:
    step = new.steps[end.key.step]
    if _lost_case(step, end):
        return f"its switch chose {end.case!r}, which is no longer a case"
    if not reached_in_old:
        sources = [name for name in old.sources[step.name] if name in left_steps]
        if sources:
            return f"its input came from {_listed(sources)}, which {_is(sources)} not reused"
        return "a task that it took input from has no result"
    sources = [name for name in new.sources[step.name] if name not in old.sources.get(step.name, ())]
    if sources:
        return f"{_listed(sources)} now {'comes' if len(sources) == 1 else 'come'} before it"
    return "what leads to it has changed"


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
