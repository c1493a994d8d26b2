"""What the page on the commands shows is what a reader gets, and it names every command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from reflow.cli.commands import COMMANDS
from reflow.cli.main import FILE_COMMANDS
from tests.docs.console import commands, missing

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "commands.md"


def test_the_commands_of_the_page_print_what_it_shows(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "debug" / "debug.py", tmp_path)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("REFLOW_", "METAFLOW_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    for command in commands(PAGE, ""):
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
            f"{PAGE.name}:{command.line}: `{command.text}` lacks {lacking!r}:\n{done.stdout}"
        )


def test_the_page_names_every_command() -> None:
    text = PAGE.read_text()
    for name in (*FILE_COMMANDS, *COMMANDS):
        assert f"`{name}" in text, name
