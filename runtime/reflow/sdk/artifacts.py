"""What a task sees of the tasks before it: their artifacts, read from the store when they are first asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from reflow.store.flowstore import FlowStore
from reflow.store.values import ArtifactRef, Record
from reflow.values.errors import NotFound
from reflow.values.key import TaskKey

KEPT_RECORDS = 256  # records kept in memory; a join over thousands of tasks shares a handful of bases


class Records:
    """The finished records of one run, the last few kept."""

    def __init__(self, store: FlowStore, run: str) -> None:
        self.store = store
        self.run = run
        self._kept: OrderedDict[TaskKey, Record] = OrderedDict()

    def get(self, key: TaskKey) -> Record:
        """Raises NotFound where the task hasn't finished."""
        record = self.find(key)
        if record is None:
            raise NotFound(
                f"Run {self.run} has no result of {key.path}, which a later task's data refers to."
            )
        return record

    def find(self, key: TaskKey) -> Record | None:
        """As `get`, None where the task hasn't finished."""
        record = self._kept.get(key) or self.store.result(self.run, key)
        if record is not None:
            self.keep(record)
        return record

    def keep(self, record: Record) -> None:
        """Remember a record that was read in another way."""
        self._kept[record.key] = record
        self._kept.move_to_end(record.key)
        if len(self._kept) > KEPT_RECORDS:
            self._kept.popitem(last=False)

    def load(self, name: str, ref: ArtifactRef, holder: TaskKey) -> Any:
        """The value of an artifact that `holder` set. `ref` may lack its inline bytes."""
        record = self.get(holder)
        return self.store.load(record.artifacts.get(name, ref), name=name, made_by=record)


class Artifacts:
    """All artifacts that a finished task has: those it set, those it refers to, and its base's."""

    def __init__(self, records: Records, record: Record) -> None:
        self._records = records
        self.record = record

    def find(self, name: str) -> tuple[ArtifactRef, TaskKey] | None:
        """What `name` refers to and which task set it, without reading the value."""
        for record in self._chain():
            if name in record.artifacts:
                return record.artifacts[name], record.key
            if name in record.inherited:
                return record.inherited[name]
        return None

    def load(self, name: str) -> Any:
        """The value. Raises KeyError where there's none of that name."""
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        ref, holder = found
        if holder == self.record.key:
            return self._records.store.load(ref, name=name, made_by=self.record)
        return self._records.load(name, ref, holder)

    def table(self) -> dict[str, tuple[ArtifactRef, TaskKey]]:
        """Every artifact by name, as `find` gives it."""
        found: dict[str, tuple[ArtifactRef, TaskKey]] = {}
        for record in self._chain():
            for name, ref in record.artifacts.items():
                found.setdefault(name, (ref, record.key))
            for name, held in record.inherited.items():
                found.setdefault(name, held)
        return found

    def _chain(self) -> Iterator[Record]:
        record: Record | None = self.record
        while record is not None:
            yield record
            record = self._records.get(record.base) if record.base else None
