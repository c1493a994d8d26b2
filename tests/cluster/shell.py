"""Running programs: always with a time limit, and with an error that shows what they said."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

Arg = str | Path


class ClusterError(Exception):
    """Something went wrong in a way that the person at the terminal should read, without a traceback."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(
    args: Sequence[Arg],
    *,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    source: IO[bytes] | None = None,
    check: bool = True,
) -> str:
    """Standard output of a program. A failure is a ClusterError with the end of what it printed."""
    words = [str(a) for a in args]
    try:
        done = subprocess.run(
            words,
            timeout=timeout,
            env=None if env is None else dict(env),
            cwd=cwd,
            input=None if stdin is None else stdin.encode(),
            stdin=(source or subprocess.DEVNULL) if stdin is None else None,
            capture_output=True,
        )
    except subprocess.TimeoutExpired as late:
        raise ClusterError(f"{' '.join(words)}: not done after {timeout:.0f} s") from late
    except FileNotFoundError as missing:
        raise ClusterError(f"{words[0]}: no such program") from missing
    if check and done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise ClusterError(f"{' '.join(words)}: exit code {done.returncode}\n{said[-3000:]}")
    return done.stdout.decode(errors="replace")


def works(args: Sequence[Arg], *, timeout: float = 20) -> bool:
    try:
        run(args, timeout=timeout)
    except ClusterError:
        return False
    return True


def wait_for(what: str, ready: Callable[[], bool], *, timeout: float, every: float = 0.1) -> None:
    until = time.monotonic() + timeout
    while not ready():
        if time.monotonic() > until:
            raise ClusterError(f"waited {timeout:.0f} s in vain for {what}")
        time.sleep(every)


@contextlib.contextmanager
def lock(path: Path, *, timeout: float, what: str) -> Iterator[None]:
    """One process at a time. The lock goes with the process, so a killed one leaves none behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + timeout
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say(f"{what}: another process is at it, waiting for it")
                    told = True
                if time.monotonic() > until:
                    raise ClusterError(f"{what}: {path} has been held for {timeout:.0f} s") from None
                time.sleep(0.2)
        yield
    finally:
        os.close(file)
