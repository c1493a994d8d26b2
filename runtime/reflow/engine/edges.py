"""Keys along the edges of a graph, in both directions: which task follows a task, and from which ones it
takes input.

Foreach path: a foreach appends its child's index, a join that closes a foreach drops the last one, else it
stays. Loop path: the edge back to a loop's header keeps the path up to that loop and counts it up; any other
edge keeps what both ends have in common, and begins each further loop at 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reflow.graph.types import Graph, Kind, Step
from reflow.values.dataclass import dataclass
from reflow.values.errors import FlowError
from reflow.values.key import TaskKey


def first_task(graph: Graph) -> TaskKey:
    """The task with which every run begins."""
    return TaskKey(graph.start)


def next_steps(step: Step, case: str | None = None) -> tuple[str, ...]:
    """The steps to which a task of `step` goes. `case`: what its switch chose. Raises FlowError for an
    unknown case."""
    if step.kind is not Kind.SWITCH:
        return step.targets
    for text, target in step.cases:
        if text == case:
            return (target,)
    known = ", ".join(text for text, _ in step.cases)
    what = f"chose {case!r}" if case is not None else "chose nothing"
    raise FlowError(f"The switch of step '{step.name}' {what}; its cases are {known}.")


def follow(graph: Graph, key: TaskKey, target: str, index: int | None = None) -> TaskKey:
    """The key of the task of `target` to which the task `key` leads; `index`: the child's, where `key` is a
    foreach."""
    source, step = graph.steps[key.step], graph.steps[target]
    foreach = key.foreach
    if index is not None:
        foreach = (*foreach, index)
    if step.joins is not None and graph.steps[step.joins].kind is Kind.FOREACH:
        foreach = foreach[:-1]
    return TaskKey(target, foreach, _loop_path(source, step, key.loop) if key.loop or step.loop_scope else ())


def _loop_path(source: Step, target: Step, loop: tuple[int, ...]) -> tuple[int, ...]:
    if is_back_edge(source, target):
        depth = source.loop_scope.index(target.name)
        return (*loop[:depth], loop[depth] + 1)
    depth = _shared_depth(source, target)
    return loop[:depth] + (0,) * (len(target.loop_scope) - depth)


def is_back_edge(source: Step, target: Step) -> bool:
    """Whether the edge closes a loop: `target` is the header of a loop that `source` is in."""
    return target.name in source.loop_scope


def _shared_depth(source: Step, target: Step) -> int:
    depth = 0
    for one, other in zip(source.loop_scope, target.loop_scope, strict=False):
        if one != other:
            break
        depth += 1
    return depth


def children(graph: Graph, key: TaskKey, width: int | None, case: str | None) -> Iterator[TaskKey]:
    """The tasks to which a finished task leads, a foreach's in the order of its items.

    Raises FlowError for a foreach without a width, and for a switch whose case isn't in the graph.
    """
    step = graph.steps[key.step]
    if step.kind is Kind.FOREACH:
        if width is None or width < 1:
            raise FlowError(f"The foreach of step '{step.name}' has no items.")
        target = step.targets[0]
        return (follow(graph, key, target, index) for index in range(width))
    return iter([follow(graph, key, target) for target in next_steps(step, case)])


def join_of(graph: Graph, key: TaskKey, joins: Mapping[str, str]) -> TaskKey:
    """The join that closes what the split or foreach task `key` opens. `joins`: see `joins_by_split`."""
    # The join stands in the same foreaches and loops as its split.
    return TaskKey(joins[key.step], key.foreach, key.loop)


def joins_by_split(graph: Graph) -> dict[str, str]:
    """For each split and foreach, the step that joins it."""
    return {step.joins: step.name for step in graph.steps.values() if step.joins is not None}


@dataclass(frozen=True, slots=True)
class Selector:
    """Tasks of one step by the beginning of their paths: what a task's input may have come from.

    `open_foreach` and `open_loop` count the indices left open behind the two prefixes; with both 0 it is the
    one task `exact`.
    """

    step: str
    foreach: tuple[int, ...]
    loop: tuple[int, ...]
    open_foreach: int = 0
    open_loop: int = 0

    @property
    def exact(self) -> TaskKey | None:
        """The only task that it selects, or None where there may be several."""
        return None if self.open_foreach or self.open_loop else TaskKey(self.step, self.foreach, self.loop)

    def selects(self, key: TaskKey) -> bool:
        """Whether the task is among those selected."""
        return (
            key.step == self.step
            and len(key.foreach) == len(self.foreach) + self.open_foreach
            and len(key.loop) == len(self.loop) + self.open_loop
            and key.foreach[: len(self.foreach)] == self.foreach
            and key.loop[: len(self.loop)] == self.loop
        )


def parents_of(graph: Graph, key: TaskKey) -> tuple[Selector, ...]:
    """From where a task's input may have come: one selector per source step, in the order of the source; none
    for start.

    Of a task that is no join, the parent is the one finished task among those selected that leads to it
    (`leads_to`): after a switch several source steps are possible, and only one of them did. A join's inputs
    are all the finished tasks among those selected that lead to it; `input_order` says in which order.
    """
    step = graph.steps[key.step]
    found = (_selector(graph.steps[name], step, key, graph) for name in graph.sources[key.step])
    return tuple(selector for selector in found if selector is not None)


def _selector(source: Step, step: Step, key: TaskKey, graph: Graph) -> Selector | None:
    loop = _source_loop_path(source, step, key.loop)
    if loop is None:
        return None
    foreach, open_foreach = key.foreach, len(source.foreach_scope) - len(key.foreach)
    if source.kind is Kind.FOREACH:
        foreach, open_foreach = foreach[:-1], 0
    return Selector(source.name, foreach, loop, max(0, open_foreach), len(source.loop_scope) - len(loop))


def _source_loop_path(source: Step, target: Step, loop: tuple[int, ...]) -> tuple[int, ...] | None:
    """The beginning of the source's loop path, None where that edge can't have led to this iteration."""
    if is_back_edge(source, target):
        return (*loop[:-1], loop[-1] - 1) if loop[-1] > 0 else None
    depth = _shared_depth(source, target)
    return None if any(loop[depth:]) else loop[:depth]


def leads_to(graph: Graph, key: TaskKey, case: str | None, child: TaskKey) -> bool:
    """Whether the finished task `key`, whose switch chose `case`, leads to the task `child`; O(1), no width
    needed."""
    step = graph.steps[key.step]
    try:
        if child.step not in next_steps(step, case):
            return False
    except FlowError:
        return False
    index = child.foreach[-1] if step.kind is Kind.FOREACH and child.foreach else None
    return follow(graph, key, child.step, index) == child


def input_order(graph: Graph, join: str) -> dict[str, int]:
    """For each source step of a join its place among the inputs: by the targets of the split, 0 for all in a
    foreach.

    A join's inputs are ordered by this place, then by their foreach index.
    """
    step = graph.steps[join]
    if step.joins is None:
        return {}
    order: dict[str, int] = {}
    split = graph.steps[step.joins]
    sources = set(graph.sources[join])
    for place, target in enumerate(split.targets):
        if target == join:
            order.setdefault(split.name, place)
            continue
        for name in _branch(graph, target, join) & sources:
            order.setdefault(name, place)
    return order


def _branch(graph: Graph, first: str, join: str) -> set[str]:
    """The steps from `first` on, up to the join but without it."""
    found, waiting = {first}, [first]
    while waiting:
        for target in graph.steps[waiting.pop()].targets:
            if target != join and target not in found:
                found.add(target)
                waiting.append(target)
    return found
