"""What the page on the commands shows is what a reader gets, and it names every command."""

from __future__ import annotations

import shutil
from pathlib import Path

from reflow.cli.commands import COMMANDS
from reflow.cli.main import FILE_COMMANDS
from tests.docs.console import Reader, commands

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "commands.md"


def test_the_commands_of_the_page_print_what_it_shows(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "debug" / "debug.py", tmp_path)
    reader = Reader(tmp_path)
    for command in commands(PAGE, ""):
        reader.follows(PAGE, command)


def test_the_page_names_every_command() -> None:
    text = PAGE.read_text()
    for name in (*FILE_COMMANDS, *COMMANDS):
        assert f"`{name}" in text, name
