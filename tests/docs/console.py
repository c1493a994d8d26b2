"""Console blocks of the docs: the commands they show, and the output they promise.

A block is fenced as ```console (any machine) or ```console cluster (needs the test cluster). A line `$ command` is run;
the lines below it must come in its output, in their order. `...` stands for any lines. Times and pids may differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
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
