"""The process behind an ExecutingRun: its output in files, read as it comes, and its end."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

PAUSE = 0.05  # seconds between two looks at a process that another program must not wait for
STOPPING = 10.0  # seconds that a run which is stopped gets to stop its tasks


class Command:
    """A command that runs, or has run. `folder` takes its files `stdout` and `stderr`."""

    def __init__(self, command: Sequence[str], cwd: Path, env: Mapping[str, str], folder: Path) -> None:
        self.command = list(command)
        self.cwd = str(cwd)
        self.env = dict(env)
        self.timeout = False
        """Whether a `wait` was over before the command was, and so ended it."""
        self.log_files = {name: str(folder / name) for name in ("stdout", "stderr")}
        with (
            Path(self.log_files["stdout"]).open("wb") as out,
            Path(self.log_files["stderr"]).open("wb") as err,
        ):
            self.process = subprocess.Popen(
                self.command, cwd=cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    @property
    def returncode(self) -> int | None:
        """The exit code, None while it runs."""
        return self.process.poll()

    def output(self, stream: str) -> str:
        """What it has written to `stdout` or `stderr` until now."""
        try:
            return self._path(stream).read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def _path(self, stream: str) -> Path:
        if stream not in self.log_files:
            raise ValueError(f"There is no stream {stream!r}: it is stdout or stderr.")
        return Path(self.log_files[stream])

    def sync_wait(self, *, shown: bool = False) -> None:
        """Until it's over. `shown`: print its output meanwhile."""
        if not shown:
            self.process.wait()
            return
        copies = [
            _Copy(self._path(name), to) for name, to in (("stdout", sys.stdout), ("stderr", sys.stderr))
        ]
        while True:
            is_over = self._is_over_within(PAUSE)
            for copy in copies:
                copy.go_on()
            if is_over:
                break

    def _is_over_within(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109  (as in Metaflow)
        stream: str | None = None,
    ) -> None:
        """Until it's over; after `timeout` seconds it is ended. `stream`: `stdout` or `stderr`, printed as it comes."""
        try:
            async with asyncio.timeout(timeout):
                if stream is not None:
                    await self.emit_logs(stream)
                while self.returncode is None:  # noqa: ASYNC110  (a process, which sets no event)
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            self.timeout = True
            self.kill()
            print(f"The run was not over within {timeout} seconds, and so was ended.", file=sys.stderr)

    async def stream_log(self, stream: str, position: int | None = None) -> AsyncIterator[tuple[int, str]]:
        """The lines of `stdout` or `stderr` as they come, to the command's end, each with the position behind it.

        `position`: one of those, to go on from there.
        """
        with self._path(stream).open("rb") as file:
            place = position or 0
            file.seek(place)
            rest = b""
            while True:
                is_over = self.returncode is not None  # asked first: what it wrote last is read below
                *lines, rest = (rest + file.read()).split(b"\n")
                for line in lines:
                    place += len(line) + 1
                    yield place, line.decode("utf-8", "replace").rstrip()
                if is_over:
                    break
                await asyncio.sleep(PAUSE)
            if rest:
                yield place + len(rest), rest.decode("utf-8", "replace").rstrip()

    async def emit_logs(self, stream: str = "stdout", custom_logger: Callable[[str], object] = print) -> None:
        """Print the lines as they come, to the command's end."""
        async for _, line in self.stream_log(stream):
            custom_logger(line)

    def kill(self, termination_timeout: float = STOPPING) -> None:
        """End it, if it still goes: it stops its tasks within seconds; else, after `termination_timeout`, at once."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGINT)
            if not self._is_over_within(termination_timeout):
                self.process.kill()
                self.process.wait()

    def is_over_or(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until the condition holds, or it's over, for so many seconds; whether the condition holds."""
        until = time.monotonic() + seconds
        while not condition() and self.returncode is None and time.monotonic() < until:
            time.sleep(PAUSE)
        return condition()


class _Copy:
    """A file that grows, printed as it does."""

    def __init__(self, path: Path, to: TextIO) -> None:
        self._path, self._to, self._place = path, to, 0

    def go_on(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._place)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1] or text
        self._place += len(whole)
        if whole:
            self._to.write(whole.decode("utf-8", "replace"))
            self._to.flush()
