"""Processes that outlive the command that started them, and are found again by number and start time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import settings
from tests.cluster.shell import Arg, ClusterError


def _folder() -> Path:
    return settings.state() / "run"


def log(name: str) -> Path:
    return settings.state() / "log" / f"{name}.log"


def _stat(pid: int) -> tuple[str, str, int] | None:
    """State, start time and parent of a process."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return words[0], words[19], int(words[1])


@dataclass(frozen=True)
class Recorded:
    name: str
    pid: int
    started: str

    def alive(self) -> bool:
        """Still that process: a number that was given to another since then doesn't count."""
        stat = _stat(self.pid)
        return stat is not None and stat[1] == self.started and stat[0] not in "ZX"

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.alive():
            os.kill(self.pid, number)

    def forget(self) -> None:
        (_folder() / self.name).unlink(missing_ok=True)


def record(name: str, pid: int) -> Recorded:
    stat = _stat(pid)
    if stat is None:
        raise ClusterError(f"{name} ended at once\n{tail(name)}")
    _folder().mkdir(parents=True, exist_ok=True)
    (_folder() / name).write_text(f"{pid} {stat[1]}\n")
    return Recorded(name, pid, stat[1])


def recorded(prefix: str = "") -> list[Recorded]:
    found = []
    for file in sorted(_folder().glob(f"{prefix}*")):
        words = file.read_text().split()
        if len(words) == 2:
            found.append(Recorded(file.name, int(words[0]), words[1]))
    return found


def find(name: str) -> Recorded | None:
    return next((one for one in recorded(name) if one.name == name), None)


def start(name: str, args: Sequence[Arg], env: Mapping[str, str] | None = None) -> Recorded:
    """Start it in a session of its own, with its output in a log."""
    path = log(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as output:
        process = subprocess.Popen(
            [str(a) for a in args],
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
        )
    # Whoever lives on is not ours to wait for; without this, Python would warn about it at exit.
    process.returncode = 0
    return record(name, process.pid)


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def runs(pid: int, program: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(bytes(program) + b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False


def stop(which: Iterable[Recorded], *, gently: float = 0, timeout: float = 20) -> None:
    """End them, and wait until they are gone; `gently` is how long they get to do it by themselves."""
    left = [one for one in which if one.alive()]
    if gently:
        for one in left:
            one.kill(signal.SIGTERM)
        until = time.monotonic() + gently
        while any(one.alive() for one in left) and time.monotonic() < until:
            time.sleep(0.02)
    for one in left:
        one.kill()
    until = time.monotonic() + timeout
    while any(one.alive() for one in left):
        if time.monotonic() > until:
            raise ClusterError(
                f"still there after kill -9: {', '.join(one.name for one in left if one.alive())}"
            )
        time.sleep(0.02)
    for one in which:
        one.forget()


def tail(name: str, lines: int = 15) -> str:
    try:
        return "\n".join(log(name).read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
