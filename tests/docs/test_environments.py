"""What docs/environments.md shows is what a reader gets. Needs the index that uv is set up for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docs.console import commands, missing

ROOT = Path(__file__).resolve().parents[2]


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "environments" / "versions.py", tmp_path)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("REFLOW_", "METAFLOW_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")

    def run(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            input=given,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )

    if shutil.which("uv", path=environment["PATH"]) is None:
        pytest.skip("no uv here: pip install 'reflow[pypi]'")
    asked = run("uv", "pip", "compile", "-", "--quiet", given="six")
    if asked.returncode:
        pytest.skip(f"no index here: {asked.stdout[-200:]}")
    found = list(commands(ROOT / "docs" / "environments.md", ""))
    assert len(found) == 2
    here = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    for command in found:
        shows = tuple(line.replace("Python 3.11", here) for line in command.shows)
        command = replace(command, shows=shows)
        done = run("bash", "-c", command.text)
        lacking = missing(command, done.stdout)
        assert lacking is None, f"environments.md:{command.line} lacks {lacking!r}:\n{done.stdout}"
