"""What a join gets: the tasks that it joins, read in batches, so that ten thousand of them fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from reflow.graph.types import Graph
from reflow.sdk.artifacts import Artifacts, Records
from reflow.sdk.foreach import ForeachFrames
from reflow.store.values import Record
from reflow.values.key import TaskKey, pathspec

BATCH = 256  # records read at once; with values inline at their most this is 4 MiB


class Input:
    """One task that is joined: its artifacts are its attributes, loaded when they are first asked for."""

    def __init__(
        self, records: Records, graph: Graph, record: Record, given: Mapping[str, Any] | None = None
    ) -> None:
        """`given`: values in place of its artifacts."""
        self.__dict__.update(given or {})
        self._artifacts = Artifacts(records, record)
        self._frames = ForeachFrames(records, graph, record.key)
        self._flow = graph.flow
        self._run = records.run

    @property
    def index(self) -> int | None:
        """The task's index in its innermost foreach."""
        return self._frames.index

    @property
    def input(self) -> Any:
        """The task's item of its innermost foreach."""
        return self._frames.item

    def foreach_stack(self) -> list[tuple[int, int, Any]]:
        """(index, width, item) of each foreach around the task, the outermost first."""
        return self._frames.stack()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_artifacts" not in self.__dict__:
            raise AttributeError(name)
        try:
            value = self._artifacts.load(name)
        except KeyError:
            where = pathspec(self._flow, self._run, self._artifacts.record.key)
            raise AttributeError(f"The input {where} has no artifact {name!r}.") from None
        self.__dict__[name] = value
        return value

    def __repr__(self) -> str:
        return f"<input {pathspec(self._flow, self._run, self._artifacts.record.key)}>"


class Inputs(Sequence[Input]):
    """`inputs` of a join: `inputs.a.x` by step, `inputs[0]` by position, iteration and `len`.

    In a foreach they are in the order of its items, in a split in the order in which `self.next` names its steps.
    """

    def __init__(
        self,
        records: Records,
        graph: Graph,
        keys: Sequence[TaskKey],
        given: Mapping[TaskKey, Mapping[str, Any]] | None = None,
    ) -> None:
        """`given`: for each task, values in place of its artifacts."""
        self._given = given or {}
        self._records = records
        self._graph = graph
        self._keys = tuple(keys)
        self._batch: tuple[int, Mapping[TaskKey, Record]] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Input: ...
    @overload
    def __getitem__(self, index: slice) -> list[Input]: ...
    def __getitem__(self, index: int | slice) -> Input | list[Input]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"inputs[{index}]: there are {len(self)} inputs.")
        given = self._given.get(self._keys[position])
        return Input(self._records, self._graph, self._record(position), given)

    def __iter__(self) -> Iterator[Input]:
        return (self[position] for position in range(len(self)))

    def __getattr__(self, name: str) -> Input:
        if not name.startswith("_"):
            for position in reversed(range(len(self._keys))):
                if self._keys[position].step == name:
                    return self[position]
            steps = ", ".join(dict.fromkeys(key.step for key in self._keys))
            raise AttributeError(
                f"This join has no input from a step {name!r}; its inputs come from {steps}."
            )
        raise AttributeError(name)

    def __repr__(self) -> str:
        return f"<{len(self)} inputs>"

    def tables(self) -> Iterator[Artifacts]:
        """The artifacts of each, in order."""
        return (Artifacts(self._records, self._record(position)) for position in range(len(self)))

    def _record(self, position: int) -> Record:
        number = position // BATCH
        if self._batch is None or self._batch[0] != number:
            self._batch = number, self._read(self._keys[number * BATCH : (number + 1) * BATCH])
        return self._batch[1][self._keys[position]]

    def _read(self, keys: Sequence[TaskKey]) -> Mapping[TaskKey, Record]:
        by_step: dict[str, list[TaskKey]] = {}
        for key in keys:
            by_step.setdefault(key.step, []).append(key)
        store, run = self._records.store, self._records.run
        return {
            record.key: record
            for step, wanted in by_step.items()
            for record in store.records(run, step, wanted)
        }
