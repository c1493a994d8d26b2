"""The records of many tasks, read a few hundred at a time, once one of them is wanted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from reflow.store.flowstore import FlowStore
from reflow.store.table import ArtifactTable
from reflow.store.values import IndexEntry, Record
from reflow.values.key import TaskKey

SIZE = 1000  # tasks: as many records are held while a step is gone through
MOST_BASES = 100  # records


class Bases:
    """Results that the artifacts of many tasks are partly in, such as that of the foreach they come from: the last few
    are kept."""

    def __init__(self, store: FlowStore, run: str) -> None:
        self._store = store
        self._run = run
        self._kept: OrderedDict[TaskKey, Record | None] = OrderedDict()

    def result(self, key: TaskKey) -> Record | None:
        """A task's result, None where it has none."""
        if key not in self._kept:
            self._kept[key] = self._store.result(self._run, key)
            if len(self._kept) > MOST_BASES:
                self._kept.popitem(last=False)
        return self._kept[key]


class Batch:
    """The results of some tasks of one step."""

    def __init__(self, store: FlowStore, run: str, keys: Sequence[TaskKey], bases: Bases) -> None:
        self._store = store
        self._run = run
        self._keys = keys
        self._bases = bases
        self._records: dict[TaskKey, Record] | None = None

    def record(self, key: TaskKey) -> Record | None:
        """A task's result, None where it's none of this batch."""
        if self._records is None:
            found = self._store.records(self._run, self._keys[0].step, self._keys) if self._keys else []
            self._records = {record.key: record for record in found}
        return self._records.get(key)

    def table(self, record: Record) -> ArtifactTable:
        """All artifacts that a task of this batch sees."""
        return ArtifactTable(record, self._bases.result)


def batches(store: FlowStore, run: str, entries: Sequence[IndexEntry]) -> Iterator[tuple[IndexEntry, Batch]]:
    """Each entry with the batch that has its record."""
    bases = Bases(store, run)
    for start in range(0, len(entries), SIZE):
        part = entries[start : start + SIZE]
        batch = Batch(store, run, [entry.key for entry in part if entry.status.finished], bases)
        for entry in part:
            yield entry, batch
