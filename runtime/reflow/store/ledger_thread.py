"""A ledger that is written while its scheduler goes on: a thread writes the segments, in bounded memory."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType

from reflow.store.ledger import LedgerWriter
from reflow.store.values import Record
from reflow.values.errors import StoreError, StoreUnreachable

PAUSE = 2.0  # seconds between two writes while few tasks end
WAITING = 2000  # records that wait for the store at most; more are left to be read as records


class BackgroundLedger:
    """`add` never waits for the store. What can't be written is left out: the ledger is a cache."""

    def __init__(self, writer: LedgerWriter) -> None:
        self._writer = writer
        self._queue: list[Record] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = False
        self._is_in_vain = False
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)

    def add(self, record: Record) -> None:
        """A record that won."""
        with self._lock:
            if len(self._queue) < WAITING:
                self._queue.append(record)
            if len(self._queue) >= WAITING // 2:
                self._wake.set()

    def __enter__(self) -> BackgroundLedger:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_in_vain = isinstance(error, StoreUnreachable)
        self._stop = True
        self._wake.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop:
            self._wake.wait(PAUSE)
            self._wake.clear()
            self._write()
        if self._is_in_vain:
            return
        self._write()
        with contextlib.suppress(StoreError):
            self._writer.flush()

    def _write(self) -> None:
        with self._lock:
            records, self._queue = self._queue, []
        for record in records:
            with contextlib.suppress(StoreError):
                self._writer.add(record)
