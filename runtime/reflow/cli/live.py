"""The console on a terminal: as everywhere, but the tasks of a wide foreach are one line that moves.

What they print, and how one fails, is still told line by line, above it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

from reflow.cli.console import Console
from reflow.cli.statusline import StatusLine
from reflow.cli.tally import Tally, clock
from reflow.launch.resuming import ResumePlan
from reflow.store.values import Manifest, Record, RunEnd, Status
from reflow.values.key import TaskKey


class LiveConsole(Console):
    """Only where `statusline.can_move`. `seconds`: a clock that only goes forward."""

    def __init__(
        self,
        out: TextIO = sys.stdout,
        err: TextIO = sys.stderr,
        *,
        clock: Callable[[], datetime] = datetime.now,
        typed: Callable[[str, str], str] | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(out, err, clock=clock, typed=typed)
        self._seconds = seconds
        self._tally: Tally | None = None
        self._status = StatusLine(out, self._text)

    def _text(self, columns: int) -> str:
        return self._tally.line(self._seconds(), columns) if self._tally else ""

    def run_starting(self, manifest: Manifest) -> None:
        self._tally = Tally(manifest.graph)
        super().run_starting(manifest)

    def resuming(self, manifest: Manifest, plan: ResumePlan) -> None:
        if self._tally is not None:
            for end in plan.ends:
                self._tally.opened(end.key.step, end.width or 0)
            self._tally.reused(end.key for end in plan.ends)
        super().resuming(manifest, plan)

    def task_starting(self, key: TaskKey, pid: int, *, attempt: int, fallback: bool) -> None:
        wide = None
        if self._tally is not None:
            self._tally.started(key, self._seconds())
            wide = self._tally.wide(key.step)
        if wide is not None:
            self._status.start()
        if wide is None or attempt or fallback:
            super().task_starting(key, pid, attempt=attempt, fallback=fallback)

    def task_ended(self, key: TaskKey, pid: int, record: Record, *, retry_in: float | None) -> None:
        wide = None
        if self._tally is not None:
            self._tally.ended(key, succeeded=record.status.finished)
            self._tally.opened(key.step, record.width or 0)
            wide = self._tally.wide(key.step)
        if wide is None or record.status is not Status.SUCCEEDED:
            super().task_ended(key, pid, record, retry_in=retry_in)
        if wide is not None and wide.is_complete and len(key.foreach) == 1:
            took = clock(self._seconds() - (wide.since or 0.0))
            tasks = "1 task" if wide.done == 1 else f"{wide.done:,} tasks"
            self._line(f"[{self._run}/{key.step}] {tasks} finished in {took}.")

    def task_killed(self, key: TaskKey, pid: int) -> None:
        if self._tally is not None:
            self._tally.killed(key)
        super().task_killed(key, pid)

    def terminal_lent(self, key: TaskKey) -> None:
        """A debugger opens, whose line it would write into."""
        self._status.hide()

    def run_ended(self, manifest: Manifest, end: RunEnd) -> None:
        self._status.hide()
        super().run_ended(manifest, end)

    def close(self) -> None:
        """The line goes, whatever comes."""
        self._status.hide()

    def _put(self, line: str) -> None:
        self._status.above(line)
