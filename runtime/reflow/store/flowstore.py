"""One flow's part of a store, in the store's own words: manifests, records, ledger, logs, liveness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reflow.store import alive, artifacts, layout, logs, pack, sweeps
from reflow.store.ledger import LedgerWriter
from reflow.store.objects import ObjectStore
from reflow.store.runs import Runs
from reflow.store.table import ArtifactTable
from reflow.store.tasks import Tasks
from reflow.store.values import ArtifactRef, IndexEntry, ItemsRef, Manifest, Record, RunEnd
from reflow.values.key import TaskKey

if TYPE_CHECKING:
    from reflow.store.catalog import Listed
    from reflow.store.keepalive import KeepAlive


class FlowStore:
    """Everything of one flow: `<root>/<Flow>/…`. Cheap to make; holds no state but small caches."""

    def __init__(self, objects: ObjectStore, flow: str) -> None:
        self.objects = objects
        self.flow = flow
        self._runs = Runs(objects, flow)
        self._tasks = Tasks(objects, self._runs)

    # Runs

    def claim(self, make: Callable[[str], Manifest], wanted: str | None = None) -> Manifest:
        """Claim a run id by put-if-absent: the next small integer, or `wanted`.

        `make` gives the manifest for an id. A manifest of the same owner is ours: claiming again returns
        it as it was first put. Raises RunExists where `wanted` belongs to another owner.
        """
        return self._runs.claim(make, wanted)

    def manifest(self, run: str) -> Manifest:
        """Raises NotFound, NewerFormat."""
        return self._runs.manifest(run)

    def has_run(self, run: str) -> bool:
        """Whether the run's manifest is in the store now, whatever was read before."""
        return self.objects.stat(layout.run(self.flow, run).manifest) is not None

    def runs(self) -> Iterator[str]:
        """Run ids, newest first where they count up, then the others by age, newest first."""
        return self._runs.runs()

    def spins(self) -> list[str]:
        """The ids of the flow's spins, the newest first."""
        names = self.objects.list_folders(layout.runs(self.flow))
        numbers = [name.removeprefix(layout.SPIN) for name in names if layout.is_spin(name)]
        counted = sorted((int(number) for number in numbers if number.isdecimal()), reverse=True)
        return [f"{layout.SPIN}{number}" for number in counted]

    def listed(self) -> list[Listed]:
        """All runs as a list shows them, newest first, in few requests: see `store.listing`."""
        from reflow.store.listing import listed

        return listed(self.objects, self._runs)

    def release(self, run: str) -> None:
        """Give a claimed id back, with all that the run left. Raises ReflowError where a task of it has
        finished.
        """
        self._runs.release(run)

    def finish(self, run: str, end: RunEnd) -> None:
        """Write down how the run ended."""
        self._runs.finish(run, end)

    def reopen(self, run: str) -> None:
        """Take back a run's end: its scheduler was stopped, and goes on."""
        self._runs.reopen(run)

    def end(self, run: str) -> RunEnd | None:
        """How the run ended, None where it hasn't (or its scheduler died: see `liveness`)."""
        return self._runs.end(run)

    def tags(self, run: str) -> tuple[str, ...]:
        """The run's tags as they are now."""
        return self._runs.tags(run)

    def set_tags(self, run: str, tags: Iterable[str]) -> None:
        """Replace the run's tags. Raises NotFound."""
        kept = tuple(tags)
        self._runs.change_tags(run, lambda now: kept)

    def change_tags(self, run: str, make: Callable[[tuple[str, ...]], Iterable[str]]) -> None:
        """Make the run's tags anew of those that it has now. Of two changes at once, none is lost: `make` is called
        again where another came first. Raises NotFound, and what `make` raises."""
        self._runs.change_tags(run, make)

    def liveness(self, run: str) -> alive.Liveness:
        """Whether somebody still works on the run, and who."""
        return alive.liveness(self.objects, layout.run(self.flow, run))

    def keep_alive(self, run: str, owner: str) -> KeepAlive:
        """A context in which the run counts as alive: a thread renews it. `owner`: the manifest's."""
        from reflow.store.keepalive import KeepAlive  # threads, which a task's process has no use for

        return KeepAlive(self.objects, layout.run(self.flow, run), owner)

    def check_claim(self, run: str) -> None:
        """After a run that was claimed before was renewed: make sure that gc hasn't deleted it. Raises NotFound."""
        self._tasks.check_claim(run)

    def check_clones(self, manifest: Manifest) -> None:
        """After the run was claimed, which keeps gc from what it clones: make sure that all of that is there.

        Waits where gc is deleting just these runs. Raises NotFound where something is gone.
        """
        self._tasks.check_clones(manifest)

    def renew(self, run: str, owner: str) -> None:
        """Say once that the run is alive, good for 60 s: for a process that renews many runs."""
        alive.renew(self.objects, layout.run(self.flow, run), owner)

    # Tasks

    def commit(self, run: str, record: Record) -> Record:
        """Put the record if absent and return the one that won (its own where the nonce is ours)."""
        return self._tasks.commit(run, record)

    def result(self, run: str, key: TaskKey) -> Record | None:
        """The finished record, read through clones, or None."""
        return self._tasks.result(run, key)

    def result_exists(self, run: str, key: TaskKey) -> bool:
        """Whether the task has its result, its own or a cloned one. Cheaper than reading it."""
        return self._tasks.result_exists(run, key)

    def holder(self, run: str, key: TaskKey) -> str:
        """The run that holds the task's record and log: the run itself, or the one that it was cloned
        from.
        """
        return self._runs.origin(run, key) or run

    def failure(self, run: str, key: TaskKey, attempt: int) -> Record | None:
        """The record of a failed attempt of the run itself, or None."""
        return self._tasks.failure(run, key, attempt)

    def failures(self, run: str, key: TaskKey) -> list[Record]:
        """The records of the task's failed attempts, in their order, read through clones."""
        return self._tasks.failures(self.holder(run, key), key)

    def has_task(self, run: str, step: str) -> bool:
        """Whether any task of a step has a record, its own or a cloned one. One request at most."""
        return self._tasks.has_task(run, step)

    def index(self, run: str) -> list[IndexEntry]:
        """Every task with a record, cloned ones included: the ledger first, then the records that it lacks.

        One entry a task: its result, or its latest failed attempt. O(tasks), few requests where there's a
        ledger.
        """
        return self._tasks.index(run)

    def records(self, run: str, step: str, keys: Sequence[TaskKey]) -> list[Record]:
        """The results of many tasks of a step, in the order of `keys`: from packs, the rest in parallel.

        Raises NotFound where a task has no result.
        """
        return self._tasks.records(run, step, keys)

    def ledger(self, run: str) -> LedgerWriter:
        """A new writer of the run's ledger: add what was committed, then flush."""
        return LedgerWriter(self.objects, layout.run(self.flow, run))

    # Artifacts

    def table(self, run: str, record: Record) -> ArtifactTable:
        """All artifacts that a task sees: its own, inherited and through its bases. Reads the bases'
        records.
        """
        return ArtifactTable(record, lambda key: self.result(run, key))

    def dump(self, value: Any, *, budget: int) -> ArtifactRef:
        """Pickle a value: inline where it fits `budget` bytes, else streamed into a blob. Raises
        Unpicklable.
        """
        return artifacts.dump(self.objects, self.flow, value, budget=budget)

    def load(self, ref: ArtifactRef, *, name: str, made_by: Record | None = None) -> Any:
        """Unpickle, after the content was verified. Raises UnloadableValue, CorruptObject, NotFound."""
        return artifacts.load(self.objects, self.flow, ref, name=name, made_by=made_by)

    def versions(self, refs: Iterable[ArtifactRef]) -> Mapping[str, str]:
        """The versions, in this process, of the packages that these artifacts need: for `Record.packages`."""
        return artifacts.versions(sorted({top for ref in refs for top in ref.packages}))

    def dump_items(self, variable: str, items: Iterable[Any], *, budget: int, limit: int) -> ItemsRef:
        """Write a foreach's items as they come. Raises TooManyItems past `limit`, Unpicklable naming the
        item.
        """
        return pack.dump_items(self.objects, self.flow, variable, items, budget=budget, limit=limit)

    def load_item(self, items: ItemsRef, index: int) -> Any:
        """One item of a foreach: two small reads. Raises NotFound, CorruptObject, UnloadableValue."""
        return pack.load_item(self.objects, self.flow, items, index)

    # Code packages

    def put_code(self, data: bytes) -> str:
        """Keep a code package; its sha256, which names it."""
        from hashlib import sha256

        name = sha256(data).hexdigest()
        key = layout.code(self.flow, name)
        if not sweeps.is_fresh(self.objects, key, len(data)):
            sweeps.put_for_good(self.objects, self.flow, key, lambda: self.objects.put(key, data))
        return name

    def code(self, sha256: str) -> bytes:
        """A code package, verified. Raises NotFound, CorruptObject."""
        data = self.objects.get(layout.code(self.flow, sha256))
        artifacts.verify(data, sha256, f"the code package {sha256}")
        return data

    # Logs

    def log_writer(self, run: str, key: TaskKey, launch: int) -> logs.LogWriter:
        """Takes one launch's output; its `close()` is the record's `log`."""
        return logs.LogWriter(self.objects, layout.run(self.flow, run).log(key, launch))

    def log(self, run: str, record: Record) -> Iterator[logs.Frame]:
        """The output of a finished or failed attempt, read through clones where it's a result."""
        holder = self.holder(run, record.key) if record.status.finished else run
        return logs.read(
            self.objects, layout.run(self.flow, holder).log(record.key, record.launch), record.log
        )

    def log_so_far(self, run: str, key: TaskKey, launch: int) -> Iterator[logs.Frame]:
        """What is in the store of the output of a launch that has left no record (yet)."""
        return logs.read_so_far(self.objects, layout.run(self.flow, run).log(key, launch))
