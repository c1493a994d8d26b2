"""Trying again while the store gives no answer: hours of work aren't thrown away for a minute without a store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from reflow.values.errors import StoreUnreachable

T = TypeVar("T")
PATIENCE = 300.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0  # seconds between two tries; the store's own quick tries come on top


def patiently(do: Callable[[], T], patience: float = PATIENCE) -> T:
    """`do()`, again where it raises StoreUnreachable, until `patience` seconds are over. `do` must be repeatable."""
    until = time.monotonic() + patience
    pause = FIRST_PAUSE
    while True:
        try:
            return do()
        except StoreUnreachable:
            if time.monotonic() + pause > until:
                raise
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
