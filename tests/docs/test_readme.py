"""What the README shows is what a reader gets."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.docs.console import Reader, commands

ROOT = Path(__file__).resolve().parents[2]


def test_the_commands_of_the_readme_print_what_it_shows(tmp_path: Path) -> None:
    for file in (ROOT / "examples" / "debug").iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    reader = Reader(tmp_path)
    found = list(commands(ROOT / "README.md", ""))
    assert len(found) >= 8
    for command in found:
        reader.follows(ROOT / "README.md", command)


def test_the_flow_in_the_readme_is_the_example() -> None:
    assert (ROOT / "examples" / "debug" / "debug.py").read_text() in (ROOT / "README.md").read_text()
