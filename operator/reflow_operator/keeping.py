"""What is done for runs in the background: they are kept alive in the store, their ledgers written, old Pods
swept.

None of it is waited for by a reconcile, and all of it may be lost in a crash: the records are the truth.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from reflow.store.alive import RENEW
from reflow.store.flowstore import FlowStore
from reflow.store.ledger import LedgerWriter, entry_of
from reflow.values.key import TaskKey
from reflow_operator.held import Held
from reflow_operator.kube import errors
from reflow_operator.running import Run
from reflow_operator.stores import Stores

log = logging.getLogger(__name__)
LEDGER_SECONDS = 5.0
LEDGER_LOT = 500
SEGMENT, FLUSH_SECONDS = 400, 60.0  # tasks in a segment, or the age of the oldest that isn't in one


@dataclass(slots=True)
class _Kept:
    run: Run
    store: FlowStore
    writer: LedgerWriter
    flushed_at: float = 0.0
    ended: bool = False
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


class Keeper:
    """See the module's docstring."""

    def __init__(self, stores: Stores, sweep: Callable[[Run], Awaitable[None]]) -> None:
        self._stores = stores
        self._sweep = sweep
        self._kept: dict[str, _Kept] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def watch(self, run: Run) -> None:
        """Care for this run from now on."""
        writer = run.store.ledger(run.manifest.run)
        self._kept[run.owner.uid] = _Kept(run, run.store, writer, _now())

    def release(self, run: Run) -> None:
        """The run is over, or no longer ours: write the rest of its ledger, and no more."""
        kept = self._kept.pop(run.owner.uid, None)
        if kept is not None:
            kept.ended = True
            self._spawn(self._write_ledger(kept))

    def sweep(self, run: Run) -> None:
        """Have the Pods of the run's finished tasks deleted."""
        run.undeleted = 0
        self._spawn(self._swept(run))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._renew_all())
            group.create_task(self._write_all())

    async def _renew_all(self) -> None:
        while True:
            await asyncio.gather(*(self._renew(kept.run) for kept in tuple(self._kept.values())))
            await asyncio.sleep(RENEW)

    async def _renew(self, run: Run) -> None:
        try:
            await self._stores.call(run.store.renew, run.manifest.run, run.manifest.owner)
        except Held as held:
            log.warning("%s couldn't be kept alive in the store: %s", run.key, held.message)

    async def _write_all(self) -> None:
        while True:
            await asyncio.sleep(LEDGER_SECONDS)
            for kept in tuple(self._kept.values()):
                if kept.run.fresh or kept.writer.waiting:
                    await self._write_ledger(kept)

    async def _write_ledger(self, kept: _Kept) -> None:
        """The records are read back from the store: so the ledger says what they say."""
        async with kept.busy:
            while kept.run.fresh:
                lot = kept.run.fresh[:LEDGER_LOT]
                del kept.run.fresh[: len(lot)]
                try:
                    await self._stores.call(_add, kept, lot)
                except Exception as error:
                    log.warning("the ledger of %s lacks %d tasks: %s", kept.run.key, len(lot), error)
            if kept.ended or kept.writer.waiting >= SEGMENT or _now() - kept.flushed_at >= FLUSH_SECONDS:
                kept.flushed_at = _now()
                try:
                    await self._stores.call(kept.writer.flush)
                except Held as held:
                    log.warning("the ledger of %s couldn't be written: %s", kept.run.key, held.message)

    async def _swept(self, run: Run) -> None:
        try:
            await self._sweep(run)
        except errors.KubeError as error:
            log.warning("old Pods of %s couldn't be deleted: %s", run.key, error)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _add(kept: _Kept, keys: list[TaskKey]) -> None:
    """In a thread."""
    if kept.store is not kept.run.store:  # opened anew, with other keys
        kept.store = kept.run.store
        kept.writer = kept.store.ledger(kept.run.manifest.run)
    store, run = kept.run.store, kept.run.manifest.run
    by_step: dict[str, list[TaskKey]] = {}
    for key in keys:
        by_step.setdefault(key.step, []).append(key)
    for step, theirs in by_step.items():
        # Whole records in packs are for joins over many tasks; of others, the index is enough.
        is_wide = bool(kept.run.manifest.graph.steps[step].foreach_scope)
        for record in store.records(run, step, theirs):
            if is_wide:
                kept.writer.add(record)
            else:
                kept.writer.add_entry(entry_of(record))


def _now() -> float:
    return asyncio.get_running_loop().time()
