"""What looking at a flow costs: no store, nothing that launches. Modules are counted, as time says little here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
from reflow import FlowSpec, Parameter, step

class Small(FlowSpec):
    alpha = Parameter("alpha", default=1)

    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    import atexit, sys
    atexit.register(lambda: print(*sys.modules, file=sys.stderr))
    Small()
"""
UNNEEDED = ("reflow.store", "reflow.launch", "reflow.task", "reflow.client", "reflow.engine", "reflow.cards")
SLOW = {"pickle", "hashlib", "inspect", "platform", "subprocess", "tempfile", "importlib.metadata"}


@pytest.mark.parametrize("command", [["show"], ["--help"], ["run", "--help"], ["check"]], ids=" ".join)
def test_looking_at_a_flow_imports_no_store_and_nothing_that_launches(
    command: list[str], tmp_path: Path
) -> None:
    (tmp_path / "small.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-S", "small.py", *command],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path("runtime").absolute())},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    found = set(done.stderr.split())
    assert "reflow.cli.flow" in found
    assert [name for name in found if name.startswith(UNNEEDED)] == []
    assert found & SLOW == set()
