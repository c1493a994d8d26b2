"""What a resume takes over from its origin, and what runs again although it had finished.

A task is cloned if it succeeded, its step stands where it stood and its transition is of the same kind in the
new graph, no step that is to run again comes before it, and every task that it took input from is cloned and
is also what it takes input from in the new graph. So the fold over the old graph and the one over the new
graph have to reach it by the same cloned tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reflow.engine.edges import children, first_task
from reflow.engine.events import Succeeded
from reflow.engine.reach import Reach
from reflow.graph.lint_shape import reachable
from reflow.graph.types import Graph, Kind, Step
from reflow.values.dataclass import dataclass
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
    renewed = reachable(new.steps, from_step) if from_step is not None else set()
    barred = {name: _why_barred(step, new, from_step, renewed) for name, step in old.steps.items()}
    ends = {end.key: end for end in finished if end.key.step in old.steps}
    before, after = _Side(old), _Side(new)
    cloned = _closed(before, after, {key: end for key, end in ends.items() if not barred[key.step]})
    left = [end for key, end in ends.items() if key not in cloned]
    return ClonePlan(tuple(cloned.values()), _again(left, before, after, barred))


class _Side:
    """The fold over one of the two graphs, by cloned tasks alone: what it reaches, and each task's inputs."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.reached = {first_task(graph)}
        self._reach = Reach(graph)
        self._inputs: dict[TaskKey, list[TaskKey]] = {}

    def pass_on(self, end: Succeeded) -> list[TaskKey]:
        """Raises FlowError, and then changes nothing, for a result that the graph has no way on for."""
        following = list(children(self.graph, end.key, end.width, end.case))
        for child in following:
            self._inputs.setdefault(child, []).append(end.key)
        found = self._reach.arrived(end.key, following)
        self.reached.update(found)
        return found

    def inputs(self, key: TaskKey) -> list[TaskKey]:
        return self._inputs.get(key, [])


def _closed(before: _Side, after: _Side, ends: Mapping[TaskKey, Succeeded]) -> dict[TaskKey, Succeeded]:
    """The tasks that both sides reach, and by the same tasks."""
    cloned: dict[TaskKey, Succeeded] = {}
    waiting = [first_task(before.graph)]
    while waiting:
        key = waiting.pop()
        end = ends.get(key)
        # A task is put here by each of the two sides; it is looked at when both have come to it.
        if end is None or key in cloned or key not in before.reached or key not in after.reached:
            continue
        if not _same(before.inputs(key), after.inputs(key)) or _lost_case(after.graph.steps[key.step], end):
            continue
        try:
            old_children = before.pass_on(end)
        except FlowError:
            continue  # a record that its own graph can't have made: not to be built on
        new_children = after.pass_on(end)
        cloned[key] = end
        waiting += reversed(new_children)
        if old_children != new_children:
            waiting += reversed(old_children)
    return cloned


def _same(some: list[TaskKey], others: list[TaskKey]) -> bool:
    return some == others or set(some) == set(others)


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


def _again(
    left: list[Succeeded], before: _Side, after: _Side, barred: Mapping[str, str]
) -> tuple[Again, ...]:
    left_steps = {end.key.step for end in left}
    groups: dict[tuple[str, str], int] = {}
    for end in left:
        step = end.key.step
        why = barred[step] or _why_left(end, before, after, left_steps)
        groups[step, why] = groups.get((step, why), 0) + 1
    order = {name: place for place, name in enumerate(before.graph.steps)}
    return tuple(
        Again(step, count, why, gone=step not in after.graph.steps)
        for (step, why), count in sorted(groups.items(), key=lambda item: order[item[0][0]])
    )


def _why_left(end: Succeeded, before: _Side, after: _Side, left_steps: set[str]) -> str:
    key, step = end.key, after.graph.steps[end.key.step]
    if _lost_case(step, end):
        return f"its switch chose {end.case!r}, which is no longer a case"
    old_sources = before.graph.sources[step.name]
    if key not in before.reached:
        sources = [name for name in old_sources if name in left_steps]
        if not sources:
            return "a task that it took input from has no result"
        return (
            f"its input came from {_listed(sources)}, which {'is' if len(sources) == 1 else 'are'} not reused"
        )
    sources = [name for name in after.graph.sources[step.name] if name not in old_sources]
    if sources:
        return f"{_listed(sources)} now {'comes' if len(sources) == 1 else 'come'} before it"
    return "what leads to it has changed"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
