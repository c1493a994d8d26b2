"""Breakpoints of an IDE in step code: examples/debug with its own launch.json, played to debugpy's adapter."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.integration.debugging.dap import Ide, Session
from tests.integration.local.laptop import Laptop

pytest.importorskip("debugpy")
EXAMPLE = Path(__file__).resolve().parents[3] / "examples/debug"
SCRIPT = "debug.py"


def configuration(name: str) -> dict[str, Any]:
    found = json.loads((EXAMPLE / ".vscode/launch.json").read_text())["configurations"]
    return next(one for one in found if one["name"] == name)


def line_of(text: str) -> int:
    lines = (EXAMPLE / SCRIPT).read_text().splitlines()
    return lines.index(next(line for line in lines if text in line)) + 1


@pytest.fixture
def script(laptop: Laptop) -> Path:
    return Path(shutil.copy(EXAMPLE / SCRIPT, laptop.folder))


@pytest.fixture
def in_b(script: Path) -> dict[Path, list[int]]:
    return {script: [line_of("int('2fail')")]}


def stopped_child(
    ide: Ide, parent: Session, breakpoints: dict[Path, list[int]]
) -> tuple[Session, int, dict[str, Any]]:
    """Follow processes until one stops."""
    while True:
        child = ide.child(parent, breakpoints)
        try:
            said = child.wait(
                lambda m: m["type"] == "event" and m["event"] in ("stopped", "terminated", "exited")
            )
        except EOFError:
            continue
        if said["event"] == "stopped":
            thread = said["body"]["threadId"]
            return child, thread, child.ask("stackTrace", threadId=thread)["stackFrames"][0]


def follow_to_the_end(ide: Ide, parent: Session, breakpoints: dict[Path, list[int]]) -> None:
    """Attach to what is still started, as an IDE does, until the run is over."""
    while True:
        said = parent.wait(lambda m: m["type"] == "event" and m["event"] in ("debugpyAttach", "terminated"))
        if said["event"] == "terminated":
            return
        ide.attach(said["body"], breakpoints)


@pytest.mark.parametrize("command", ["run", "resume"])
def test_a_breakpoint_in_b_is_hit_its_variables_read_and_changed_and_the_run_goes_on(
    laptop: Laptop, script: Path, in_b: dict[Path, list[int]], command: str
) -> None:
    name = "DebugFlow: run"
    if command == "resume":
        assert laptop.run(script).code == 1
        name = "DebugFlow: resume, one task at a time"
    with Ide(laptop) as ide:
        parent = ide.launch(configuration(name), in_b)
        child, thread, frame = stopped_child(ide, parent, in_b)
        assert frame["name"].endswith("b")
        assert frame["line"] == in_b[script][0]
        assert "self" in child.locals(frame)
        assert child.evaluate("type(self).__name__", frame) == "'DebugFlow'"
        child.evaluate("globals().update(int=lambda text: 2)", frame)  # in place of the built-in
        child.ask("next", threadId=thread)
        _, after = child.stopped()
        assert after["line"] == in_b[script][0] + 1
        assert child.evaluate("self.x", after) == "2"
        child.ask("continue", threadId=thread)
        follow_to_the_end(ide, parent, in_b)
        assert ide.ends() == 0, ide.output.read_text()
    run = "2" if command == "resume" else "1"
    assert laptop.value("DebugFlow", run, "b/0", "x") == 2
    assert "total is 3" in ide.output.read_text()
