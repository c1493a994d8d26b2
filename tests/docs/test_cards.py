"""What docs/cards.md shows is what a reader gets."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.docs.console import Reader, commands

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "cards.md"
VARYING = re.compile(r"\d+\.\d KB +[0-9a-f]{10}")  # a card's size and hash: its time and host are in it


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "cards" / "report.py", tmp_path)
    reader = Reader(tmp_path)
    found = list(commands(PAGE, ""))
    assert len(found) == 3
    for command in found:
        reader.follows(PAGE, command, lambda line: VARYING.sub("SIZE", line))
    assert (tmp_path / "loss.html").read_text().count("<polyline") == 1
