"""A run that a Runner has started: its state, its output, and its Run for the client."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from reflow.client.run import Run
from reflow.values.errors import ReflowError

PAUSE = 0.05  # seconds between two looks at a process that another program must not wait for
STOPPING = 10.0  # seconds that a run which is stopped gets to stop its tasks


class ExecutingRun:
    """`run` and `resume` give it; it may still be going. Leave its context, or call `terminate`, to stop it."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, store: str, owner: object) -> None:
        """`folder`: has the files `attributes`, `stdout` and `stderr` of the process; it's there while `owner` is."""
        self.process = process
        self._owner = owner
        self._folder = folder
        self._store = store

    @property
    def run_id(self) -> str | None:
        """None until the run has its id."""
        path = self._pathspec
        return path.partition("/")[2] if path else None

    @property
    def _pathspec(self) -> str | None:
        try:
            found = json.loads(self._text("attributes"))
            return f"{found['flow_name']}/{found['run_id']}"
        except ValueError:
            return None  # not there, or not yet whole

    @property
    def run(self) -> Run:
        """The run as the client has it. Raises ReflowError where it has no id, and won't get one."""
        found = self._pathspec
        if found is None:
            said = self.stderr.strip() or self.stdout.strip() or "it hasn't got its id yet"
            raise ReflowError(f"There is no run to look at: {said}")
        return Run(found, store=self._store)

    @property
    def status(self) -> str:
        """`running`, `successful` or `failed`."""
        code = self.returncode
        return "running" if code is None else "successful" if code == 0 else "failed"

    @property
    def returncode(self) -> int | None:
        """The command's exit code, None while it runs."""
        return self.process.poll()

    @property
    def stdout(self) -> str:
        """What the command has printed until now."""
        return self._text("stdout")

    @property
    def stderr(self) -> str:
        """What the command has written to its standard error until now."""
        return self._text("stderr")

    def _text(self, name: str) -> str:
        try:
            return (self._folder / name).read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109  (as in Metaflow)
        stream: str | None = None,
    ) -> ExecutingRun:
        """Until the run is over. `stream`: `stdout` or `stderr`, printed as it comes. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            if stream is not None:
                async for line in self.stream_log(stream):
                    print(line)
            while self.returncode is None:  # noqa: ASYNC110  (a process, which sets no event)
                await asyncio.sleep(PAUSE)
        return self

    async def stream_log(self, stream: str, position: int = 0) -> AsyncIterator[str]:
        """The lines of `stdout` or `stderr`, as they come, to the run's end. `position`: bytes to leave out."""
        with (self._folder / stream).open("rb") as file:
            file.seek(position)
            rest = b""
            while True:
                is_over = self.returncode is not None  # asked first: what it wrote last is read below
                *lines, rest = (rest + file.read()).split(b"\n")
                for line in lines:
                    yield line.decode("utf-8", "replace")
                if is_over:
                    break
                await asyncio.sleep(PAUSE)
            if rest:
                yield rest.decode("utf-8", "replace")

    def terminate(self) -> None:
        """Stop the run, if it's still going: its tasks end within seconds, and it can be resumed."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOPPING)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def id_within(self, seconds: float) -> None:
        """Wait until the run has its id, or has ended without one."""
        until = time.monotonic() + seconds
        while self.run_id is None and self.returncode is None and time.monotonic() < until:
            time.sleep(PAUSE)

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
