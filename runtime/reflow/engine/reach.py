"""Which tasks are reached: those to which finished tasks lead, a join once all of its inputs are there."""

from __future__ import annotations

from reflow.engine.edges import children, join_of, joins_by_split
from reflow.graph.types import Graph, Kind
from reflow.values.key import TaskKey


class Reach:
    """Counts a join's arrivals. A task costs O(1), a foreach O(width); joins are remembered only while they
    are open.

    Each task may be passed on only once, and only after it was reached.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._joins = joins_by_split(graph)
        self._missing: dict[TaskKey, int] = {}  # open join → inputs that it still waits for

    def passed(self, key: TaskKey, width: int | None, case: str | None) -> list[TaskKey]:
        """A reached task has finished: the tasks reached by that, in order. Raises FlowError, as
        `edges.children`."""
        return self.arrived(key, list(children(self._graph, key, width, case)))

    def arrived(self, key: TaskKey, following: list[TaskKey]) -> list[TaskKey]:
        """As `passed`, where the tasks to which `key` leads are known: those of them that are reached by"
        " it."""
        steps = self._graph.steps
        if steps[key.step].kind in (Kind.SPLIT, Kind.FOREACH):
            self._missing[join_of(self._graph, key, self._joins)] = len(following)
        return [child for child in following if not steps[child.step].is_join or self._is_last_arrival(child)]

    def _is_last_arrival(self, join: TaskKey) -> bool:
        missing = self._missing[join] - 1
        if missing:
            self._missing[join] = missing
            return False
        del self._missing[join]
        return True


def is_possible(graph: Graph, key: TaskKey) -> bool:
    """Whether a task of this key can be in a run of the graph, as far as the lengths of its paths tell."""
    step = graph.steps.get(key.step)
    return (
        step is not None
        and len(key.foreach) == len(step.foreach_scope)
        and len(key.loop) == len(step.loop_scope)
    )
