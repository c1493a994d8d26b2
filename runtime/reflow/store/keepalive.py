"""Keeping a run alive while its scheduler works on it: the part of `alive` that needs a thread and a lock."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from types import TracebackType

from reflow.store.alive import RENEW, forget_lock, lock_path, renew
from reflow.store.layout import RunLayout
from reflow.store.objects import ObjectStore
from reflow.values.errors import ReflowError, StoreError, StoreUnreachable

_TRIES, _PAUSE = 20, 0.005


class KeepAlive:
    """Keeps a run alive from entering to leaving the context, by a thread of its own. Entering raises ReflowError where
    another process of this host is in such a context for the same run."""

    def __init__(self, objects: ObjectStore, run: RunLayout, owner: str) -> None:
        self._objects = objects
        self._run = run
        self._owner = owner
        self._stop = threading.Event()
        self._lock: int | None = None
        self._thread = threading.Thread(target=self._renew, name=f"alive {run.run}", daemon=True)

    def __enter__(self) -> KeepAlive:
        try:
            self._lock = _lock(lock_path(self._objects, self._run))
        except BlockingIOError:
            raise ReflowError(
                f"Another process on this machine is working on the run {self._run.flow}/{self._run.run}. Wait for its"
                " end, or stop it first."
            ) from None
        os.register_at_fork(after_in_child=self._forget_lock)
        renew(self._objects, self._run, self._owner)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if not isinstance(error, StoreUnreachable):
            self._take_leave()
        self._forget_lock()

    def _take_leave(self) -> None:
        with contextlib.suppress(StoreError):
            self._objects.delete([self._run.alive])
            if self._lock is not None:
                forget_lock(self._objects, self._run)  # if `alive` stays, that nobody locks it says how it is

    def _renew(self) -> None:
        while not self._stop.wait(RENEW):
            # The next renewal may get through; the minute bridges a few that don't.
            with contextlib.suppress(StoreError):
                renew(self._objects, self._run, self._owner)

    def _forget_lock(self) -> None:
        """Also in a forked child: a task that outlives its scheduler must not keep the run alive."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(path: str) -> int | None:
    """Hold the run's lock; None where this host has no place for it, and the run's age alone tells. Raises
    BlockingIOError where another process has it.
    """
    import fcntl

    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        return None
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            time.sleep(_PAUSE)  # somebody who only looks holds it for a moment
        except OSError:  # a file system without locks
            break
    else:
        os.close(file)
        raise BlockingIOError(f"{path} is locked by another process")
    os.close(file)
    return None
