"""A run that a Runner has started: its state, its output, and its Run for the client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from reflow.client.run import Run
from reflow.runner.command import Command
from reflow.values.errors import ReflowError

if TYPE_CHECKING:
    from reflow.client.task import Task
    from reflow.runner.runner import Runner


class RunNotStarted(ReflowError, RuntimeError):
    """The command ended without a run: the flow's file, a parameter or an option is wrong. Says what it printed."""


class ExecutingRun:
    """`run` and `resume` give it; it may still be going. Leave its context, or call `terminate`, to stop it."""

    def __init__(self, runner: Runner, command_obj: Command, attributes: Path, store: str) -> None:
        """`attributes`: where the command writes which run it is."""
        self.runner = runner
        self.command_obj = command_obj
        self._attributes = attributes
        self._store = store

    @property
    def run_id(self) -> str | None:
        """None until the run has its id."""
        path = self._pathspec
        return path.partition("/")[2] if path else None

    @property
    def _pathspec(self) -> str | None:
        try:
            found = json.loads(self._attributes.read_text("utf-8"))
            return f"{found['flow_name']}/{found['run_id']}"
        except (OSError, ValueError):
            return None  # not there, or not yet whole

    @property
    def run(self) -> Run:
        """The run as the client has it. Raises RunNotStarted where it has no id, and won't get one."""
        found = self._pathspec
        if found is None:
            raise self.not_started()
        return Run(found, store=self._store, _namespace_check=False)

    def not_started(self) -> RunNotStarted:
        """What is to be raised where the command gave no run."""
        said = self.stderr.strip() or self.stdout.strip() or "it hasn't got its id yet"
        return RunNotStarted(f"There is no run: {said}")

    @property
    def status(self) -> str:
        """`running`, `successful`, `failed`, or `timeout` where a `wait` ended it."""
        if self.command_obj.timeout:
            return "timeout"
        code = self.returncode
        return "running" if code is None else "successful" if code == 0 else "failed"

    @property
    def returncode(self) -> int | None:
        """The command's exit code, None while it runs."""
        return self.command_obj.returncode

    @property
    def stdout(self) -> str:
        """What the command has printed until now."""
        return self.command_obj.output("stdout")

    @property
    def stderr(self) -> str:
        """What the command has written to its standard error until now."""
        return self.command_obj.output("stderr")

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109  (as in Metaflow)
        stream: str | None = None,
    ) -> ExecutingRun:
        """Until the run is over; after `timeout` seconds it is ended, and `status` is `timeout`.

        `stream`: `stdout` or `stderr`, printed as it comes.
        """
        await self.command_obj.wait(timeout, stream)
        return self

    async def stream_log(self, stream: str, position: int | None = None) -> AsyncIterator[tuple[int, str]]:
        """The lines of `stdout` or `stderr` as they come, to the run's end, each with the position behind it.

        `position`: one of those, to go on from there.
        """
        async for place, line in self.command_obj.stream_log(stream, position):
            yield place, line

    def terminate(self) -> None:
        """Stop the run, if it's still going: its tasks end within seconds, and it can be resumed."""
        self.command_obj.kill()

    def __enter__(self) -> ExecutingRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminate()

    async def __aenter__(self) -> ExecutingRun:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminate()

    def __repr__(self) -> str:
        return f"<{self.status} run {self._pathspec or '…'}>"


class ExecutingTask(ExecutingRun):
    """`spin` gives it: its run holds the one task."""

    @property
    def task(self) -> Task:
        """The task as the client has it. Raises RunNotStarted where it hasn't started, and won't."""
        run = self.run
        found = json.loads(self._attributes.read_text("utf-8"))
        return run[found["step_name"]][found["task_id"]]

    def __repr__(self) -> str:
        return f"<{self.status} task of {self._pathspec or '…'}>"
