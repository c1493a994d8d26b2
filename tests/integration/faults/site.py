"""A laptop whose store is a folder or a bucket, and which knows the processes that its commands have left behind."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reflow.store.flowstore import FlowStore
from reflow.store.objects import ObjectStore
from tests.integration.local.laptop import Laptop

MARK = "REFLOW_FAULTS_MARK"  # a variable that all processes of a site inherit


@dataclass(frozen=True)
class Keeps:
    """Where a store is: `open` opens it from the test; `environ` lets a command do so."""

    url: str
    open: Callable[[], ObjectStore]
    environ: dict[str, str]


class Site(Laptop):
    """A laptop with a store of any kind."""

    def __init__(self, folder: Path, keeps: Keeps, mode: tuple[str, ...] = ()) -> None:
        super().__init__(folder, mode)
        self.keeps = keeps
        self.mark = uuid.uuid4().hex
        self.environ = {"REFLOW_STORE": keeps.url, MARK: self.mark, **keeps.environ}

    def store(self, flow: str) -> FlowStore:
        return FlowStore(self.keeps.open(), flow)

    def processes(self) -> list[int]:
        """All that live and were started by this site's commands, by whatever way."""
        wanted = f"{MARK}={self.mark}".encode()
        return [pid for pid in pids() if wanted in read(f"/proc/{pid}/environ")]

    def nothing_stays(self, seconds: float = 8.0) -> None:
        """Wait for the end of all that a killed command has left behind."""
        until = time.monotonic() + seconds
        while left := self.processes():
            assert time.monotonic() < until, f"these stay behind: {[command_of(pid) for pid in left]}"
            time.sleep(0.02)

    def kill_all(self) -> None:
        """At a test's end, whatever happened."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def parent_of(pid: int) -> int:
    """0 where it's gone."""
    fields = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def command_of(pid: int) -> str:
    return f"{pid}: {read(f'/proc/{pid}/cmdline').replace(bytes(1), b' ').decode()}"
