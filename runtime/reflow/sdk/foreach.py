"""Where a task stands in the foreaches around it: its index and item in each."""

from __future__ import annotations

from typing import Any

from reflow.graph.types import Graph
from reflow.sdk.artifacts import Records
from reflow.store.values import ItemsRef
from reflow.values.dataclass import dataclass
from reflow.values.errors import NotFound
from reflow.values.key import TaskKey


@dataclass(frozen=True, slots=True)
class ForeachFrame:
    """One foreach around a task: the step that started it, its variable, its width, the task's index and item."""

    step: str
    var: str | None
    num_splits: int
    index: int
    value: Any


class ForeachFrames:
    """The foreaches around one task. Items are read when they are first asked for."""

    def __init__(self, records: Records, graph: Graph, key: TaskKey) -> None:
        self._records = records
        self._graph = graph
        self._key = key
        self._items: dict[int, Any] = {}

    @property
    def index(self) -> int | None:
        """The index in the innermost foreach; None outside of any."""
        return self._key.foreach[-1] if self._key.foreach else None

    @property
    def item(self) -> Any:
        """The item of the innermost foreach; None outside of any."""
        return self._item(len(self._key.foreach) - 1) if self._key.foreach else None

    def stack(self) -> list[tuple[int, int, Any]]:
        """(index, width, item) of each, the outermost first."""
        return [
            (index, self._source(depth).width, self._item(depth))
            for depth, index in enumerate(self._key.foreach)
        ]

    def frames(self) -> list[ForeachFrame]:
        """As `stack`, with where each foreach started."""
        steps = [self._graph.steps[name] for name in self._graph.steps[self._key.step].foreach_scope]
        return [
            ForeachFrame(step.name, step.foreach, width, index, item)
            for step, (index, width, item) in zip(steps, self.stack(), strict=False)
        ]

    def _item(self, depth: int) -> Any:
        if depth not in self._items:
            self._items[depth] = self._records.store.load_item(self._source(depth), self._key.foreach[depth])
        return self._items[depth]

    def _source(self, depth: int) -> ItemsRef:
        record = self._records.get(foreach_key(self._graph, self._key, depth))
        if record.items is None:
            raise NotFound(
                f"The record of {record.key.path} holds no items, although a foreach starts there."
            )
        return record.items


def foreach_key(graph: Graph, key: TaskKey, depth: int) -> TaskKey:
    """The task that started the foreach at `depth` around `key`, 0 for the outermost."""
    step = graph.steps[graph.steps[key.step].foreach_scope[depth]]
    return TaskKey(step.name, key.foreach[:depth], key.loop[: len(step.loop_scope)])
