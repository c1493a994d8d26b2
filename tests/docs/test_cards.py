"""What docs/cards.md shows is what a reader gets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.docs.console import commands, missing

ROOT = Path(__file__).resolve().parents[2]
VARYING = re.compile(r"\d+\.\d KB +[0-9a-f]{10}")  # a card's size and hash: its time and host are in it


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "cards" / "report.py", tmp_path)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("REFLOW_", "METAFLOW_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    found = list(commands(ROOT / "docs" / "cards.md", ""))
    assert len(found) == 3
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
        shows = tuple(VARYING.sub("SIZE", line) for line in command.shows)
        lacking = missing(replace(command, shows=shows), VARYING.sub("SIZE", done.stdout))
        assert lacking is None, f"cards.md:{command.line} lacks {lacking!r}:\n{done.stdout}"
    assert (tmp_path / "loss.html").read_text().count("<polyline") == 1
