"""Trying again while the store gives no answer: hours of work aren't thrown away for a minute without a store."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from reflow.values.errors import StoreUnreachable

T = TypeVar("T")
PATIENCE = 300.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0  # seconds between two tries; the store's own quick tries come on top
SLICE = 0.1  # seconds of a pause between two looks at whether it was told to end
QUIET = 30.0  # seconds between two notices


class Patience:
    """What a process has with its store. All its threads may use it at once."""

    def __init__(self, seconds: float = PATIENCE, tell: Callable[[str], object] | None = None) -> None:
        """`tell` gets a notice where somebody has to wait; by default it's printed to stderr."""
        self._seconds = seconds
        self._tell = tell or _print
        self._told: float | None = None
        self._is_over = False
        self._lost: StoreUnreachable | None = None

    def end(self) -> None:
        """Wait for the store no more: what it doesn't take now isn't tried again. For a signal's handler too."""
        self._is_over = True

    def __call__(self, do: Callable[[], T]) -> T:
        """`do()`, again where it raises StoreUnreachable, until the time is over. `do` must be repeatable."""
        if self._is_over and self._lost is not None:
            raise self._lost
        until = time.monotonic() + self._seconds
        pause = FIRST_PAUSE
        while True:
            try:
                return do()
            except StoreUnreachable as error:
                if self._is_over or time.monotonic() + pause > until:
                    self._lost = error
                    raise
                self._notify(error)
            self._wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _notify(self, error: StoreUnreachable) -> None:
        now = time.monotonic()
        if self._told is None or now > self._told + QUIET:
            self._told = now
            self._tell(f"{error} Waiting for it, for up to {self._seconds / 60:.0f} minutes.")

    def _wait(self, pause: float) -> None:
        until = time.monotonic() + pause
        while not self._is_over and (left := until - time.monotonic()) > 0:
            time.sleep(min(SLICE, left))


def _print(notice: str) -> None:
    print(notice, file=sys.stderr, flush=True)


patiently = Patience()
"""For a task's own process, which is waited for as long as it takes."""
