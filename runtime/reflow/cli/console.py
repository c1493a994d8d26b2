"""What a run prints: a line a happening, with its time and `[run/step/task (pid N)]`, as Metaflow's users know it."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TextIO

from reflow.launch.resuming import ResumePlan
from reflow.store.values import Manifest, Record, RunEnd, Status
from reflow.values.key import TaskKey

MOST_CLONE_LINES = 20  # cloned tasks named one by one; past that a line per step


class Console:
    """A Listener that prints. `out` gets the run's lines, `err` what went wrong. `typed`: how a user calls a command
    of the flow with an argument; None where there's no script to call."""

    def __init__(
        self,
        out: TextIO = sys.stdout,
        err: TextIO = sys.stderr,
        *,
        clock: Callable[[], datetime] = datetime.now,
        typed: Callable[[str, str], str] | None = None,
    ) -> None:
        self._out = out
        self._err = err
        self._clock = clock
        self._typed = typed
        self._run = ""
        self._is_cut_off = False

    def preparing(self, what: str) -> None:
        self._line(what)

    def run_starting(self, manifest: Manifest) -> None:
        self._run = manifest.run
        self._line(f"Workflow starting (run-id {manifest.run}):")

    def resuming(self, manifest: Manifest, plan: ResumePlan) -> None:
        assert manifest.origin is not None
        self._line(f"Cloning {manifest.flow}/{manifest.origin.run}")
        for line in clone_lines(manifest.run, plan):
            self._line(line)
        for again in plan.again:
            self._line(f"Not reused: {again}")

    def task_starting(self, key: TaskKey, pid: int, *, attempt: int, fallback: bool) -> None:
        if fallback:
            self._task(key, pid, "Task fallback is starting to handle the failure.")
        else:
            self._task(key, pid, "Task is starting (retry)." if attempt else "Task is starting.")

    def output(self, key: TaskKey, pid: int, text: str) -> None:
        self._task(key, pid, text)

    def task_ended(self, key: TaskKey, pid: int, record: Record, *, retry_in: float | None) -> None:
        if record.width is not None:
            self._task(key, pid, f"Foreach yields {record.width} child steps.")
        if record.status is Status.FAILED:
            self._task(key, pid, "Task failed." if retry_in is None else tried_again(retry_in))
        else:
            self._task(key, pid, "Task finished successfully.")

    def task_killed(self, key: TaskKey, pid: int) -> None:
        self._task(key, pid, "[KILLED BY ORCHESTRATOR]")

    def terminal_lent(self, key: TaskKey) -> None:
        """What it prints is on the terminal itself."""

    def close(self) -> None:
        """Nothing is left on the terminal that isn't a line of its own."""

    def run_failing(self, running: int) -> None:
        self._line("Workflow failed.")
        if running:
            tasks = "1 active task" if running == 1 else f"{running} active tasks"
            self._line(f"Waiting up to 5 seconds for {tasks}...")

    def run_ended(self, manifest: Manifest, end: RunEnd) -> None:
        if end.succeeded:
            self._line("Done!")
            return
        self._out.flush()
        if end.failed_step and end.failed_task:
            task = end.failed_task.rpartition("/")[2]
            for line in self._what_next(f"{manifest.run}/{end.failed_task}"):
                print(f"    {line}", file=self._err)
            print("    Step failure:", file=self._err)
            print(f"    Step {end.failed_step} (task-id {task}) failed.", file=self._err, flush=True)
        else:
            print(f"    {end.message}", file=self._err, flush=True)

    def _what_next(self, task: str) -> Iterable[str]:
        """Before the step's name, which a user finds on the last line."""
        if self._typed is not None:
            yield f"To look into it, with its real inputs: {self._typed('debug', task)}"
            yield f"To go on from there, once it's fixed:  {self._typed('resume', '')}"

    def _task(self, key: TaskKey, pid: int, text: str) -> None:
        self._line(f"[{self._run}/{key.step}/{key.id} (pid {pid})] {text}")

    def _line(self, text: str) -> None:
        stamp = self._clock().isoformat(sep=" ", timespec="milliseconds")
        self._print(f"{stamp} {text}")

    def _print(self, line: str) -> None:
        """Raises BrokenPipeError once, where whoever read the output has gone; after that nothing is printed."""
        if self._is_cut_off:
            return
        try:
            self._put(line)
        except BrokenPipeError:
            self._is_cut_off = True
            raise

    def _put(self, line: str) -> None:
        print(line, file=self._out, flush=True)


def console_for(typed: Callable[[str, str], str] | None = None) -> Console:
    """What suits the output: on a terminal a wide foreach is one line that moves, elsewhere all is plain lines."""
    from reflow.cli.statusline import can_move

    if can_move(sys.stdout, os.environ):
        from reflow.cli.live import LiveConsole

        return LiveConsole(typed=typed)
    return Console(typed=typed)


def tried_again(seconds: float) -> str:
    """What is said of an attempt that has another one after it."""
    if seconds < 1:
        return "Task failed; it is tried again."
    wait = f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
    return f"Task failed; it is tried again in {wait}."


def clone_lines(new_run: str, plan: ResumePlan) -> Iterable[str]:
    """What is reused: task by task, or step by step where that would be too much to read."""
    total = sum(len(keys) for keys in plan.clones.values())
    for run, keys in plan.clones.items():
        if total <= MOST_CLONE_LINES:
            yield from (
                f"[{new_run}/{key.path}] Cloning previously run task {run}/{key.path}" for key in keys
            )
        else:
            counts = Counter(key.step for key in keys)
            yield from (
                f"[{new_run}/{step}] Cloning {n} previously run tasks of {run}/{step}"
                for step, n in counts.items()
            )
