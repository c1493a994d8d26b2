"""What a task leaves behind: its output, and at its end its record, last. In this thread, or in a few others.

A folder is written at once. A store behind a network is written by threads, one of which serves a task from its first
line to its record, so that all stays in order and the supervisor's loop never waits.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from reflow.store.flowstore import FlowStore
from reflow.store.logs import LogWriter
from reflow.store.values import Record
from reflow.task.patience import Patience
from reflow.task.spec import TaskSpec
from reflow.values.dataclass import dataclass, replace
from reflow.values.errors import ReflowError

THREADS = 8
MOST_WAITING = 4 << 20  # bytes of one task's output that wait for its thread; then its pipes aren't read


@dataclass(frozen=True, slots=True)
class Kept:
    """A task's end is in the store: `record` as this launch wrote it, `winner` the one that counts; or why it isn't."""

    spec: TaskSpec
    record: Record | None = None
    winner: Record | None = None
    error: ReflowError | None = None


class Keep(Protocol):
    """Where one launch's output and record go."""

    @property
    def is_full(self) -> bool:
        """Whether output should wait before more is handed over."""

    def write(self, time: float, stream: str, data: bytes) -> None:
        """Output. `stream`: `o` or `e`; `time`: seconds since the epoch."""

    def finish(self, record: Record | None) -> None:
        """The end: write what's left of the log, then the record; with none, the attempt doesn't count."""


class Keeper(Protocol):
    """Opens a Keep for each launch, and tells which have been finished."""

    def open(self, spec: TaskSpec) -> Keep: ...

    def fileno(self) -> int | None:
        """Readable when there's something in `take`; None where `finish` itself does all."""

    def tick(self, now: float) -> None:
        """Write the logs that have waited long enough. `now`: seconds since the epoch."""

    @property
    def patience(self) -> Patience:
        """What it has with the store: ended, it waits no more."""

    def take(self) -> list[Kept]:
        """What has been finished since it was last asked."""

    def close(self) -> None: ...


def finish_attempt(
    store: FlowStore, spec: TaskSpec, log: LogWriter, record: Record | None, patiently: Patience
) -> Kept:
    """Write the log, then the record."""
    try:
        kept = patiently(log.close)
        if record is None:
            return Kept(spec)
        complete = replace(record, log=kept)
        return Kept(spec, complete, patiently(lambda: store.commit(spec.run, complete)))
    except ReflowError as error:
        return Kept(spec, record, error=error)
    except Exception as error:  # a fault of ours or of a library: without an end the run would wait for ever
        words = f"The end of {spec.key.path} couldn't be kept: {type(error).__name__}: {error}"
        return Kept(spec, record, error=ReflowError(words))


class HereKeep:
    """See Keep."""

    is_full = False

    def __init__(self, keeper: HereKeeper, spec: TaskSpec) -> None:
        self._keeper = keeper
        self._spec = spec
        self.log = keeper.store.log_writer(spec.run, spec.key, spec.launch)

    def write(self, time: float, stream: str, data: bytes) -> None:
        with suppress(ReflowError):  # a store that can't be written is told with the record
            self.log.write(time, stream, data)

    def finish(self, record: Record | None) -> None:
        self._keeper.finished(
            self, finish_attempt(self._keeper.store, self._spec, self.log, record, self._keeper.patience)
        )


class HereKeeper:
    """Writes at once, in the caller's thread: for a folder, and for a Pod's one task."""

    def __init__(self, store: FlowStore, patience: Patience | None = None) -> None:
        self.store = store
        self.patience = patience or Patience()
        self._open: set[HereKeep] = set()
        self._kept: list[Kept] = []

    def open(self, spec: TaskSpec) -> HereKeep:
        keep = HereKeep(self, spec)
        self._open.add(keep)
        return keep

    def finished(self, keep: HereKeep, kept: Kept) -> None:
        self._open.discard(keep)
        self._kept.append(kept)

    def fileno(self) -> int | None:
        return None

    def tick(self, now: float) -> None:
        for keep in self._open:
            with suppress(ReflowError):
                keep.log.tick(now)

    def take(self) -> list[Kept]:
        kept, self._kept = self._kept, []
        return kept

    def close(self) -> None:
        """Nothing is open."""


class ThreadKeep:
    """See Keep. Handed to one thread."""

    def __init__(
        self,
        keeper: ThreadKeeper,
        spec: TaskSpec,
        log: LogWriter,
        submit: Callable[[Callable[[], None]], None],
    ) -> None:
        self._keeper = keeper
        self.spec = spec
        self.log = log
        self._submit = submit
        self._waiting = 0
        self._is_ticking = False

    @property
    def is_full(self) -> bool:
        return self._waiting > MOST_WAITING

    def write(self, time: float, stream: str, data: bytes) -> None:
        self._waiting += len(data)
        self._submit(lambda: self._write(time, stream, data))

    def _write(self, time: float, stream: str, data: bytes) -> None:
        try:
            self.log.write(time, stream, data)
        finally:
            self._waiting -= len(data)

    def finish(self, record: Record | None) -> None:
        self._submit(lambda: self._finish(record))

    def _finish(self, record: Record | None) -> None:
        keeper = self._keeper
        keeper.finished(finish_attempt(keeper.store, self.spec, self.log, record, keeper.patience))

    def tick(self, now: float) -> None:
        """Have the log written that has waited long enough. One at a time: a store may take long to say no."""
        due = self.log.due
        if due is not None and due <= now and not self._is_ticking:
            self._is_ticking = True
            self._submit(lambda: self._tick(now))

    def _tick(self, now: float) -> None:
        try:
            self.log.tick(now)
        finally:
            self._is_ticking = False


class ThreadKeeper:
    """Writes in a few threads: for a store behind a network, with many tasks at once."""

    def __init__(self, store: FlowStore, patience: Patience | None = None) -> None:
        self.store = store
        self.patience = patience or Patience()
        self._workers: list[_Worker] = []
        self._next = 0
        self._kept: deque[Kept] = deque()
        self._reader, self._writer = os.pipe()
        for descriptor in (self._reader, self._writer):
            os.set_blocking(descriptor, False)
        self._open: set[ThreadKeep] = set()

    def open(self, spec: TaskSpec) -> ThreadKeep:
        worker = self._worker()
        log = self.store.log_writer(spec.run, spec.key, spec.launch)
        keep = ThreadKeep(self, spec, log, worker.submit)
        self._open.add(keep)
        return keep

    def _worker(self) -> _Worker:
        if len(self._workers) < THREADS:
            self._workers.append(_Worker())
        self._next = (self._next + 1) % len(self._workers)
        return self._workers[self._next]

    def finished(self, kept: Kept) -> None:
        self._kept.append(kept)
        with suppress(BlockingIOError):  # then there is more than enough to wake up for
            os.write(self._writer, b"x")

    def fileno(self) -> int | None:
        return self._reader

    def tick(self, now: float) -> None:
        for keep in self._open:
            keep.tick(now)

    def take(self) -> list[Kept]:
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)
        kept = []
        while self._kept:
            kept.append(self._kept.popleft())
        done = {(one.spec.key, one.spec.launch) for one in kept}
        for keep in [k for k in self._open if (k.spec.key, k.spec.launch) in done]:
            self._open.discard(keep)
        return kept

    def close(self) -> None:
        """Waits for what has been handed over."""
        for worker in self._workers:
            worker.stop()
        os.close(self._reader)
        os.close(self._writer)


class _Worker:
    """A thread that does one job after the other. A job that fails ends neither it nor the ones after it."""

    def __init__(self) -> None:
        from queue import SimpleQueue
        from threading import Thread

        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="reflow-keeper", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], None]) -> None:
        self._jobs.put(job)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with suppress(
                ReflowError
            ):  # output that can't be written now is written, or told, with the log's end
                job()

    def stop(self) -> None:
        self._jobs.put(None)
        self._thread.join()


def keeper_for(store: FlowStore, patience: Patience) -> Keeper:
    """Threads where the store takes many requests at once, that is, behind a network."""
    return ThreadKeeper(store, patience) if store.objects.parallel > 1 else HereKeeper(store, patience)
