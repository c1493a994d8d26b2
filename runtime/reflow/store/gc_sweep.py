"""A sweep: gc's mark in the store while it deletes, so that those who write at the same time know. See `sweeps`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import TypeVar

from reflow.store import layout, sweeps
from reflow.store.objects import ObjectInfo, ObjectStore
from reflow.store.sweeps import GRACE, LEASE, Mark
from reflow.values.errors import StoreUnreachable

RENEW = LEASE / 6  # seconds between two renewals
LAPSED = LEASE / 2  # seconds without one, after which nothing may be deleted any more
BATCH = 1000  # objects deleted by one request

T = TypeVar("T")


class Sweep:
    """Use as a context; look what may go within it, and delete by `delete`."""

    def __init__(
        self,
        objects: ObjectStore,
        flow: str,
        mark: Mark,
        *,
        clock: Callable[[], float] = time.time,  # goes on while a laptop sleeps
    ) -> None:
        self._objects = objects
        self._flow = flow
        self._mark = mark
        self._clock = clock
        self._key = f"{layout.sweeps(flow)}{os.urandom(8).hex()}"
        self._renewed = 0.0

    def __enter__(self) -> Sweep:
        self._put(self._mark)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._objects.put(self._key, sweeps.encode(Mark()))

    def delete(self, keys: Iterable[str]) -> None:
        """Delete, in batches. Raises StoreUnreachable where the mark has lapsed: then nobody waits for it any more."""
        for batch in batches(keys, BATCH):
            self._stay()
            self._objects.delete(batch)

    def _stay(self) -> None:
        age = self._clock() - self._renewed
        if not 0 <= age < LAPSED:
            raise StoreUnreachable(
                f"gc was held up for {age:.0f} s while it deleted garbage of {self._flow}, and stopped, since others"
                " may count on what it was about to delete. Run it again."
            )
        if age > RENEW:
            self._put(self._mark)

    def _put(self, mark: Mark) -> None:
        before = self._clock()  # the lease counts from before the request, however long that takes
        self._objects.put(self._key, sweeps.encode(mark))
        self._renewed = before


def forget_old_marks(objects: ObjectStore, flow: str) -> None:
    """Delete the marks of sweeps that ended so long ago that nobody asks for them any more."""
    old = objects.now() - GRACE
    objects.delete([info.key for info in objects.list(layout.sweeps(flow)) if info.modified < old])


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size` of them."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def without(objects: Iterable[ObjectInfo], *keys: str) -> Iterator[ObjectInfo]:
    """All but those with these keys."""
    return (info for info in objects if info.key not in keys)
