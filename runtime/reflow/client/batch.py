"""The records of many tasks, read a few hundred at a time, once one of them is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reflow.store.flowstore import FlowStore
from reflow.store.values import IndexEntry, Record
from reflow.values.key import TaskKey

SIZE = 500  # tasks: as many records are held while a step is gone through


class Batch:
    """The results of some tasks of one step."""

    def __init__(self, store: FlowStore, run: str, keys: Sequence[TaskKey]) -> None:
        self._store = store
        self._run = run
        self._keys = keys
        self._records: dict[TaskKey, Record] | None = None

    def record(self, key: TaskKey) -> Record | None:
        """A task's result, None where it's none of this batch."""
        if self._records is None:
            found = self._store.records(self._run, self._keys[0].step, self._keys) if self._keys else []
            self._records = {record.key: record for record in found}
        return self._records.get(key)


def batches(store: FlowStore, run: str, entries: Sequence[IndexEntry]) -> Iterator[tuple[IndexEntry, Batch]]:
    """Each entry with the batch that has its record."""
    for start in range(0, len(entries), SIZE):
        part = entries[start : start + SIZE]
        batch = Batch(store, run, [entry.key for entry in part if entry.status.finished])
        for entry in part:
            yield entry, batch
