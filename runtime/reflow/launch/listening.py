"""What a run's launcher tells whoever watches it: the command line's console, a notebook, a test."""

from __future__ import annotations

from typing import Protocol

from reflow.launch.resuming import ResumePlan
from reflow.store.values import Manifest, Record, RunEnd
from reflow.values.key import TaskKey


class Listener(Protocol):
    """Called in the order of what happens, from the launcher's one thread. A call must return soon."""

    def preparing(self, what: str) -> None:
        """Something takes a while before the run can start: what, in a sentence."""

    def run_starting(self, manifest: Manifest) -> None:
        """The run id is claimed."""

    def resuming(self, manifest: Manifest, plan: ResumePlan) -> None:
        """What is reused, and what runs again although it had finished."""

    def task_starting(self, key: TaskKey, pid: int, *, attempt: int, fallback: bool) -> None:
        """A task's process is there."""

    def output(self, key: TaskKey, pid: int, text: str) -> None:
        """One line of a task's output, without its line end."""

    def task_ended(self, key: TaskKey, pid: int, record: Record, *, retry_in: float | None) -> None:
        """An attempt ended and its record is in the store."""

    def task_killed(self, key: TaskKey, pid: int) -> None:
        """A task was stopped because another failed or the user asked; it has no record and will run again."""

    def terminal_lent(self, key: TaskKey) -> None:
        """A debugger opens in a task, and has the terminal until the task's end."""

    def run_failing(self, running: int) -> None:
        """A task failed for good; `running` others get a moment to finish."""

    def run_ended(self, manifest: Manifest, end: RunEnd) -> None:
        """The run is over and its end is in the store."""
