"""A folder to play commands in, and questions about what they left in the store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reflow.store.flowstore import FlowStore
from reflow.store.folder import FolderStore
from reflow.store.values import Manifest, Record, RunEnd

PYTHON = sys.executable
RUNTIME = Path(__file__).resolve().parents[3] / "runtime"
PATIENCE = 60.0  # seconds for one command


@dataclass(frozen=True)
class Played:
    """A command that has ended: its exit code and what it printed."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def all(self) -> str:
        return self.out + self.err

    @property
    def said(self) -> list[str]:
        """What tasks printed and what the console said, without time stamps and prefixes."""
        lines = []
        for line in self.out.splitlines():
            text = line[24:]
            lines.append(text.split("] ", 1)[1] if text.startswith("[") and "] " in text else text)
        return lines


@dataclass
class Going:
    """A command that still runs."""

    process: subprocess.Popen[str]
    started: float = field(default_factory=time.monotonic)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()

    def end(self, timeout: float = PATIENCE) -> Played:
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        return Played(self.process.returncode, out, err, time.monotonic() - self.started)


class Laptop:
    """`mode`: options that every `run` and `resume` is given besides."""

    def __init__(self, folder: Path, mode: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.mode = mode
        self.environ: dict[str, str] = {}
        self.python = PYTHON

    # What a user does

    def write(self, name: str, source: str) -> Path:
        """A file, dedented."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return path

    def flow(self, name: str, source: str, *, file: str = "") -> Path:
        """A flow's script: `source` holds the body of class `name`; what it needs is imported."""
        body = textwrap.indent(textwrap.dedent(source), "    ")
        text = f"from reflow import *\nimport os, sys, time\n\nclass {name}(FlowSpec):\n{body}\n\n"
        return self.write(file or f"{name.lower()}.py", f"{text}if __name__ == '__main__':\n    {name}()\n")

    def start(self, *arguments: str, cwd: Path | None = None, stdin: int | None = None) -> Going:
        """Start `python …` in a process group of its own."""
        return Going(
            subprocess.Popen(
                [self.python, *arguments],
                cwd=cwd or self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )

    def play(self, *arguments: str, cwd: Path | None = None) -> Played:
        """`python …`, to its end."""
        return self.start(*arguments, cwd=cwd).end()

    def run(self, script: str | Path, *options: str, cwd: Path | None = None) -> Played:
        """`python SCRIPT run …`."""
        return self.play(str(script), "run", *self.mode, *options, cwd=cwd)

    def resume(self, script: str | Path, *options: str) -> Played:
        """`python SCRIPT resume …`."""
        return self.play(str(script), "resume", *self.mode, *options)

    def reflow(self, *arguments: str) -> Played:
        """`reflow …`."""
        return self.play("-c", "from reflow.cli.main import console; console()", *arguments)

    def _environment(self) -> dict[str, str]:
        ours = ("REFLOW_", "METAFLOW_", "AWS_", "PYTHON")
        kept: Mapping[str, str] = {
            k: v for k, v in os.environ.items() if not k.startswith(ours) and k not in ("CI", "NO_COLOR")
        }
        return {**kept, "PYTHONPATH": str(RUNTIME), "USER": "tester", **self.environ}

    # What is in the store

    def store(self, flow: str) -> FlowStore:
        return FlowStore(FolderStore(self.folder / ".reflow"), flow)

    def files(self) -> list[str]:
        """All files below the working folder that aren't the user's own."""
        root = self.folder / ".reflow"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def runs(self, flow: str) -> list[str]:
        return sorted(self.store(flow).runs())

    def manifest(self, flow: str, run: str) -> Manifest:
        return self.store(flow).manifest(run)

    def end(self, flow: str, run: str) -> RunEnd | None:
        return self.store(flow).end(run)

    def record(self, flow: str, run: str, path: str) -> Record:
        """The result of `step/id`."""
        store = self.store(flow)
        keys = [entry.key for entry in store.index(run) if entry.key.path == path]
        found = store.result(run, keys[0]) if keys else None
        assert found is not None, f"{flow}/{run}/{path} has no result"
        return found

    def value(self, flow: str, run: str, path: str, name: str) -> Any:
        """An artifact of a finished task."""
        store = self.store(flow)
        ref, record = store.table(run, self.record(flow, run, path)).held(name)
        return store.load(ref, name=name, made_by=record)

    def executed(self, flow: str, run: str) -> list[str]:
        """The finished tasks that the run itself ran: those that it didn't clone."""
        cloned = set(self.cloned(flow, run))
        entries = self.store(flow).index(run)
        return sorted(e.key.path for e in entries if e.status.finished and e.key.path not in cloned)

    def cloned(self, flow: str, run: str) -> list[str]:
        return sorted(k.path for keys in self.manifest(flow, run).clones.values() for k in keys)

    def log(self, flow: str, run: str, path: str) -> str:
        store = self.store(flow)
        return b"".join(frame.data for frame in store.log(run, self.record(flow, run, path))).decode()
