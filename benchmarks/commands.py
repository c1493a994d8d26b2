"""Commands, timed, each in a folder and an environment of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class Broken(Exception):
    """What was to be measured didn't do what it should: no figure is better than a wrong one."""


@dataclass(frozen=True, slots=True)
class Ran:
    """`started`: seconds since the epoch; `seconds`: wall time; `cpu`: of it and all its children, in seconds;
    `memory`: its largest process, in MB."""

    started: float
    seconds: float
    cpu: float
    memory: float
    output: str


def clean_environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the caller's settings gets in, but for where programs are."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(home),
        "USER": "bench",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "",
        **(more or {}),
    }


def run(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    *,
    exit_code: int = 0,
    timeout: float = 900,
) -> Ran:
    """Run it to its end. Raises Broken where it ends with another exit code, or takes too long."""
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as output:
        started, begin = time.time(), time.monotonic()
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        limit = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
        limit.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            limit.cancel()
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if process.returncode != exit_code:
        raise Broken(
            f"`{' '.join(words)[:300]}` ended with {process.returncode} instead of {exit_code}:\n{text[-3000:]}"
        )
    return Ran(started, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)
