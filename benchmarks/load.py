"""What else the machine does while something is measured."""

from __future__ import annotations

import os
import time
from statistics import median

GLANCE = 0.3  # seconds


class LoadMeter:
    """Looks at the processors before each sample, when nothing of ours runs, and at the load average at both ends."""

    def __init__(self) -> None:
        self._first = os.getloadavg()[0]
        self._busy: list[float] = []

    def glance(self) -> None:
        """How busy others keep the machine just now; takes GLANCE seconds."""
        before = _ticks()
        time.sleep(GLANCE)
        after = _ticks()
        total = sum(after) - sum(before)
        idle = (after[3] + after[4]) - (before[3] + before[4])
        self._busy.append(1 - idle / total if total else 0.0)

    def __str__(self) -> str:
        cores = os.cpu_count() or 1
        text = f"{cores} cores, load average {self._first:.1f} before and {os.getloadavg()[0]:.1f} after"
        if self._busy:
            text += (
                f"; between samples others kept {median(self._busy):.0%} (at most {max(self._busy):.0%}) busy"
            )
        return text


def _ticks() -> list[int]:
    with open("/proc/stat", encoding="ascii") as file:
        return [int(field) for field in file.readline().split()[1:9]]
