"""A queue of keys with the semantics of client-go's: the heart of a level-triggered operator.

A key that waits is there once, however often it is added. A key that is added while it is worked on is
worked on again afterwards, and never twice at once. A failure comes back later, each time twice as late.
All in one event loop.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)
FIRST_BACKOFF = 0.25
LONGEST_BACKOFF = 60.0


class WorkQueue(Generic[K]):
    """See the module's docstring. Workers are started by `run`."""

    def __init__(self, work: Callable[[K], Awaitable[float | None]], *, name: str) -> None:
        """`work(key)` returns in how many seconds it wants the key again, or None; what it raises is a
        failure.
        """
        self._work = work
        self._name = name
        self._ready: deque[K] = deque()
        self._waiting: set[K] = set()
        self._running: set[K] = set()
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._later: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}
        self._order = itertools.count()
        self._wake: asyncio.TimerHandle | None = None
        self._arrival = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be worked on now and nothing is being worked on."""
        return not self._ready and not self._running

    def add(self, key: K) -> None:
        """Have the key worked on as soon as possible."""
        if key in self._running:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._arrival.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Have the key worked on in `seconds` at the latest; an earlier appointment stands."""
        if seconds <= 0:
            self.add(key)
            return
        due = asyncio.get_running_loop().time() + seconds
        if key in self._due and self._due[key] <= due:
            return
        self._due[key] = due
        heapq.heappush(self._later, (due, next(self._order), key))
        self._set_alarm()

    async def run(self, workers: int) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(workers):
                group.create_task(self._worker(), name=f"{self._name} {number}")

    async def _worker(self) -> None:
        while True:
            while not self._ready:
                self._arrival.clear()
                await self._arrival.wait()
            key = self._ready.popleft()
            self._waiting.discard(key)
            self._running.add(key)
            try:
                await self._one(key)
            finally:
                self._running.discard(key)
                if key in self._again:
                    self._again.discard(key)
                    self.add(key)

    async def _one(self, key: K) -> None:
        try:
            again = await self._work(key)
        except asyncio.CancelledError:
            raise
        except Exception:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            pause = min(FIRST_BACKOFF * 2 ** (failures - 1), LONGEST_BACKOFF) * (0.75 + random.random() / 2)
            log.exception("%s: %s failed and is tried again in %.1f s", self._name, key, pause)
            self.add_after(key, pause)
        else:
            self._failures.pop(key, None)
            if again is not None:
                self.add_after(key, again)

    def _set_alarm(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if self._later:
            self._wake = asyncio.get_running_loop().call_at(self._later[0][0], self._ring)

    def _ring(self) -> None:
        now = asyncio.get_running_loop().time() + 0.0005  # timers may ring a hair early
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)
        self._set_alarm()
