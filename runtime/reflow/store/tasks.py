"""The records of one flow's tasks: committing them, and reading them singly, in bulk and through clones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reflow.store import formats, layout, ledger, sweeps
from reflow.store.layout import RecordName, RunLayout
from reflow.store.objects import ObjectStore
from reflow.store.parallel import each
from reflow.store.runs import Runs
from reflow.store.values import IndexEntry, Manifest, Record
from reflow.values.errors import CorruptObject, NotFound
from reflow.values.key import TaskKey


class Tasks:
    """Reads and writes the records of a flow's tasks."""

    def __init__(self, objects: ObjectStore, runs: Runs) -> None:
        self._objects = objects
        self._runs = runs
        self._flow = runs.flow

    def commit(self, run: str, record: Record) -> Record:
        """Put the record if absent; the one that won."""
        where = layout.run(self._flow, run)
        finished = record.status.finished
        name = where.result(record.key) if finished else where.failure(record.key, record.attempt)
        for _ in range(3):
            if self._objects.put_if_absent(name, formats.encode_record(record)):
                return record
            winner = self._read(name)
            if winner:
                return self._same_task(winner, record, name)
        raise NotFound(f"The record {name} can't be committed: it exists, and vanishes when it's read.")

    @staticmethod
    def _same_task(winner: Record, record: Record, name: str) -> Record:
        """On a file system that ignores case, the steps `Train` and `train` would share their records."""
        if winner.key != record.key:
            raise CorruptObject(
                f"The store's {name} holds the record of {winner.key}, not of {record.key}. Does its file"
                " system ignore the case of letters? Then rename one of the steps."
            )
        return winner

    def result(self, run: str, key: TaskKey) -> Record | None:
        """The finished record, the run's own or the one it was cloned from."""
        origin = self._runs.known_origin(run, key)
        own = None if origin else self._read(layout.run(self._flow, run).result(key))
        if own or origin is None:
            origin = None if own else self._runs.origin(run, key)
        return own if origin is None else self._read(layout.run(self._flow, origin).result(key))

    def result_exists(self, run: str, key: TaskKey) -> bool:
        """Whether the run itself, or the run that it's cloned from, has the task's result. Reads no
        record.
        """
        origin = self._runs.origin(run, key) or run
        return self._objects.stat(layout.run(self._flow, origin).result(key)) is not None

    def failure(self, run: str, key: TaskKey, attempt: int) -> Record | None:
        return self._read(layout.run(self._flow, run).failure(key, attempt))

    def failures(self, run: str, key: TaskKey) -> list[Record]:
        """The records of a task's failed attempts, in their order."""
        where = layout.run(self._flow, run)
        prefix = where.failure(key, 0)[:-1]
        found = [self._read(info.key) for info in self._objects.list(prefix)]
        return sorted((record for record in found if record), key=lambda record: record.attempt)

    def _read(self, name: str) -> Record | None:
        try:
            data = self._objects.get(name)
        except NotFound:
            return None
        return formats.decode_record(data, name)

    def check_claim(self, run: str, origins: Iterable[str] = ()) -> None:
        """See `FlowStore.check_claim`."""
        sweeps.runs_may_be_gone(self._objects, self._flow, {run, *origins})
        if self._objects.stat(layout.run(self._flow, run).manifest) is None:
            raise NotFound(f"The run {self._flow}/{run} is gone: `gc` has deleted it. Start it anew.")

    def check_clones(self, manifest: Manifest) -> None:
        """See `FlowStore.check_clones`. One listing of each origin's records."""
        origins = {*manifest.clones, *([manifest.origin.run] if manifest.origin else [])}
        self.check_claim(manifest.run, origins)
        if manifest.origin and not self._objects.stat(layout.run(self._flow, manifest.origin.run).manifest):
            raise NotFound(
                f"The run {self._flow}/{manifest.origin.run} can't be resumed: `gc` has deleted it in the meantime."
                " Resume another run."
            )
        for origin, keys in manifest.clones.items():
            where = layout.run(self._flow, origin)
            there = {info.key for info in self._objects.list(where.tasks)}
            gone = next((key for key in keys if where.result(key) not in there), None)
            if gone:
                raise NotFound(
                    f"The task {self._flow}/{origin}/{gone.path}, which the resume reuses, is gone from the store:"
                    " `gc` has deleted that run in the meantime, or somebody its objects. Resume another run."
                )

    def has_task(self, run: str, step: str) -> bool:
        """See `FlowStore.has_task`."""
        clones = self._runs.manifest(run).clones
        if any(key.step == step for keys in clones.values() for key in keys):
            return True
        where = layout.run(self._flow, run)
        found = self._objects.list(f"{where.tasks}{step}/")
        return any(where.record_name(info.key) for info in found)

    # In bulk

    def index(self, run: str) -> list[IndexEntry]:
        """Every task that has a record: its result, or else its latest failed attempt."""
        clones = self._runs.manifest(run).clones
        found = self._own_index(layout.run(self._flow, run))
        for origin, keys in clones.items():
            wanted = set(keys)
            found += [e for e in self._own_index(layout.run(self._flow, origin)) if e.key in wanted]
        return found

    def _own_index(self, run: RunLayout) -> list[IndexEntry]:
        """The records are the truth: their names say which tasks there are, the ledger only saves reading
        them.
        """
        latest = _latest(self._record_names(run))
        known: dict[tuple[str, str, int | None], IndexEntry] = {}
        for entry in ledger.read_index(self._objects, run):
            attempt = None if entry.status.finished else entry.attempt
            known[entry.key.step, entry.key.id, attempt] = entry
        found: list[IndexEntry] = []
        missing: list[str] = []
        for (step, task), (attempt, name) in latest.items():
            if told := known.get((step, task, attempt)):
                found.append(told)
            else:
                missing.append(name)
        records = each(self._read, missing, at_once=self._objects.parallel)
        return found + [ledger.entry_of(record) for record in records if record]

    def _record_names(self, run: RunLayout) -> Iterator[tuple[RecordName, str]]:
        for info in self._objects.list(run.tasks):
            name = run.record_name(info.key)
            if name:
                yield name, info.key

    def records(self, run: str, step: str, keys: Sequence[TaskKey]) -> list[Record]:
        """The results of many tasks of a step, in the order of `keys`. Raises NotFound where one has none."""
        found: dict[TaskKey, Record] = {}
        for owner, theirs in self._by_owner(run, keys).items():
            found.update(self._own_records(layout.run(self._flow, owner), step, theirs))
        try:
            return [found[key] for key in keys]
        except KeyError as missing:
            raise NotFound(
                f"The task {self._flow}/{run}/{missing.args[0]} has no result in the store."
            ) from None

    def _by_owner(self, run: str, keys: Iterable[TaskKey]) -> dict[str, list[TaskKey]]:
        origins = self._runs.origins(run)
        owners: dict[str, list[TaskKey]] = {}
        for key in keys:
            owners.setdefault(origins.get(key, run), []).append(key)
        return owners

    def _own_records(self, run: RunLayout, step: str, keys: Sequence[TaskKey]) -> Mapping[TaskKey, Record]:
        ids = {key.id: key for key in keys}
        found: dict[TaskKey, Record] = {}
        if len(keys) > 2:  # a pack is worth a listing where it saves more requests than that
            packed = ledger.read_packs(self._objects, run, step, set(ids))
            found = {record.key: record for record in packed}
        missing = [run.result(key) for key in keys if key not in found]
        for record in each(self._read, missing, at_once=self._objects.parallel):
            if record:
                found[record.key] = record
        return found


def _latest(names: Iterable[tuple[RecordName, str]]) -> dict[tuple[str, str], tuple[int | None, str]]:
    """For each task (step, id), its result's object, or else that of its latest failed attempt."""
    latest: dict[tuple[str, str], tuple[int | None, str]] = {}
    for name, key in names:
        task = (name.step, name.id)
        attempt = latest[task][0] if task in latest else -1
        if name.attempt is None or (attempt is not None and name.attempt > attempt):
            latest[task] = (name.attempt, key)
    return latest
