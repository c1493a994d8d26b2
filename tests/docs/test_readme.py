"""What the README shows is what a reader gets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.console import commands, missing

ROOT = Path(__file__).resolve().parents[2]


def test_the_commands_of_the_readme_print_what_it_shows(tmp_path: Path) -> None:
    for file in (ROOT / "examples" / "debug").iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("REFLOW_", "METAFLOW_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    found = list(commands(ROOT / "README.md", ""))
    assert len(found) >= 8
    for command in found:
        done = subprocess.run(
            ["bash", "-c", command.text],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        lacking = missing(command, done.stdout)
        assert lacking is None, (
            f"README.md:{command.line}: `{command.text}` lacks {lacking!r}:\n{done.stdout}"
        )


def test_the_flow_in_the_readme_is_the_example() -> None:
    assert (ROOT / "examples" / "debug" / "debug.py").read_text() in (ROOT / "README.md").read_text()
