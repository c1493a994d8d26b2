"""Console blocks of the docs: the commands they show, and the output they promise.

A block is fenced as ```console (any machine) or ```console cluster (needs the test cluster). A line `$ command` is run;
the lines below it must come in its output, in their order. `...` stands for any lines. Times and pids may differ.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

_BLOCK = re.compile(r"^```console(?P<where>[^\n]*)\n(?P<body>.*?)^```", re.M | re.S)
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"), "TIME"),
    (re.compile(r"\(pid \d+\)"), "(pid N)"),
    (re.compile(r"\b(\d+m)?\d+s\b"), "AGE"),
    (re.compile(r"(?<=-)[0-9a-f]{12}\b"), "HASH"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True, slots=True)
class Command:
    """`shows`: the lines of its output, `...` for a gap. `line`: in the file, from 1."""

    text: str
    shows: tuple[str, ...]
    line: int


class Reader:
    """Somebody who types what a page shows, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith(("REFLOW_", "METAFLOW_"))}
        self.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{self.environ['PATH']}"

    def types(self, text: str, *, timeout: float = 60, given: str | None = None) -> tuple[int, str]:
        """The exit code, and all that came. `given`: standard input, else the caller's own."""
        done = subprocess.run(
            ["bash", "-c", text],
            input=given,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return done.returncode, done.stdout

    def follows(
        self, page: Path, command: Command, normal: Callable[[str], str] = str, timeout: float = 60
    ) -> None:
        """Type the command and get what the page shows. `normal`: takes out of a line what differs each time."""
        _, said = self.types(command.text, timeout=timeout)
        shows = tuple(normal(line) for line in command.shows)
        lacking = missing(
            replace(command, shows=shows), "\n".join(normal(line) for line in said.splitlines())
        )
        assert lacking is None, f"{page.name}:{command.line}: `{command.text}` lacks {lacking!r}:\n{said}"


def commands(file: Path, where: str) -> Iterator[Command]:
    """The commands of the blocks fenced as ```console `where`."""
    text = file.read_text()
    for block in _BLOCK.finditer(text):
        if block["where"].strip() != where:
            continue
        line = text[: block.start("body")].count("\n") + 1
        yield from _commands(block["body"].splitlines(), line)


def _commands(lines: list[str], first: int) -> Iterator[Command]:
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Command(lines[start][2:], tuple(lines[start + 1 : end]), first + start)


def missing(command: Command, output: str) -> str | None:
    """The first promised line that the output lacks at its place; None where all are there."""
    said = iter([normal(line) for line in output.splitlines()])
    for wanted in command.shows:
        if wanted.strip() != "..." and not any(line == normal(wanted) for line in said):
            return wanted
    return None


def normal(line: str) -> str:
    """Without what differs from run to run."""
    for pattern, instead in _VARYING:
        line = pattern.sub(instead, line)
    return line.rstrip()
