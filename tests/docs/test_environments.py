"""What docs/environments.md shows is what a reader gets. Needs the index that uv is set up for."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docs.console import Reader, commands

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "environments.md"


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "environments" / "versions.py", tmp_path)
    reader = Reader(tmp_path)
    reader.environ["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    if shutil.which("uv", path=reader.environ["PATH"]) is None:
        pytest.skip("no uv here: pip install 'reflow[pypi]'")
    code, said = reader.types("uv pip compile - --quiet", given="six", timeout=100)
    if code:
        pytest.skip(f"no index here: {said[-200:]}")
    found = list(commands(PAGE, ""))
    assert len(found) == 2
    here = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    for command in found:
        shows = tuple(line.replace("Python 3.11", here) for line in command.shows)
        reader.follows(PAGE, replace(command, shows=shows), timeout=100)
