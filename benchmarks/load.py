"""What else the machine does while something is measured."""

from __future__ import annotations

import os
import time
from statistics import median

GLANCE = 0.3  # seconds
CALM = 0.25  # of the processors' time that others take


class LoadMeter:
    """Looks at the processors before each sample, when nothing of ours runs, and at the load average at both ends.

    `patience`: for how many seconds in all it may wait for others to be done.
    """

    def __init__(self, patience: float = 0.0) -> None:
        self._first = os.getloadavg()[0]
        self._patience = patience
        self._busy: list[float] = []

    def glance(self) -> None:
        """How busy others keep the machine just now; waits for them to be done, while there is patience."""
        begin = time.monotonic()
        busy = _busy()
        while busy > CALM and time.monotonic() - begin < self._patience:
            busy = _busy()
        self._patience -= time.monotonic() - begin
        self._busy.append(busy)

    def __str__(self) -> str:
        cores = os.cpu_count() or 1
        text = f"{cores} cores, load average {self._first:.1f} before and {os.getloadavg()[0]:.1f} after"
        if self._busy:
            text += (
                f"; between samples others kept {median(self._busy):.0%} (at most {max(self._busy):.0%}) busy"
            )
        return text


def _busy() -> float:
    before = _ticks()
    time.sleep(GLANCE)
    after = _ticks()
    total = sum(after) - sum(before)
    idle = (after[3] + after[4]) - (before[3] + before[4])
    return 1 - idle / total if total else 0.0


def _ticks() -> list[int]:
    with open("/proc/stat", encoding="ascii") as file:
        return [int(field) for field in file.readline().split()[1:9]]
