"""Running the tools that make environments: their words are kept for the user, and none outlives the one who asked."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from reflow.values.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """What a tool that has ended said."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """Why it failed, in its own words."""
        text = self.err.strip() or self.out.strip() or f"it ended with exit code {self.code}"
        return text.removeprefix("error: ")


class Commands:
    """Runs tools, from several threads at once. `stop` ends those that run, and lets no other start."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = threading.Event()
        self._turn = threading.Lock()

    def run(
        self, command: Sequence[str], *, given: str = "", cwd: Path | None = None, held: int | None = None
    ) -> Said:
        """To its end. `given`: its standard input; `held`: a descriptor that stays open as long as it runs."""
        with self._turn:
            if self._stopped.is_set():
                return Said(1, "", "stopped")
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env={**self._environ, "NO_COLOR": "1"},
                cwd=cwd,
                pass_fds=() if held is None else (held,),
            )
            self._running.add(process)
        try:
            out, err = process.communicate(given)
        finally:
            with self._turn:
                self._running.discard(process)
        return Said(process.returncode, out, err)

    def stop(self) -> None:
        """From another thread than those that run tools."""
        with self._turn:
            self._stopped.set()
            for process in self._running:
                process.terminate()

    def is_stopped_within(self, seconds: float) -> bool:
        """Sleep for so long, or until `stop`."""
        return self._stopped.wait(seconds)


def beside_or_on_path(name: str, environ: Mapping[str, str], beside: Path) -> str | None:
    """A program in a folder, such as that of the running Python, else on PATH."""
    import shutil

    if os.access(beside / name, os.X_OK):
        return str(beside / name)
    return shutil.which(name, path=environ.get("PATH", os.defpath))
