"""A folder with the movie flow in it, and notebooks that are executed there."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.local.laptop import RUNTIME, Laptop

MOVIES = Path(__file__).resolve().parents[3] / "examples/movies"
Play = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def movies(tmp_path: Path) -> Laptop:
    shutil.copytree(MOVIES, tmp_path, dirs_exist_ok=True)
    return Laptop(tmp_path)


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Execute cells in a kernel of this Python, in the folder; the last output of each."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    kernels = tmp_path / ".jupyter" / "kernels" / "python3"
    kernels.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel = {"argv": command, "display_name": "Python", "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / ".jupyter"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / ".jupyter" / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    monkeypatch.setenv("PYTHONPATH", str(RUNTIME))
    monkeypatch.setenv("USER", "tester")  # as the commands of Laptop: the client shows the user's own runs
    for name in ("REFLOW_STORE", "REFLOW_USER", "METAFLOW_USER", "SUDO_USER", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def execute(*cells: str) -> list[dict[str, Any]]:
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python"}
        done = nbclient.NotebookClient(
            made, timeout=90, resources={"metadata": {"path": str(tmp_path)}}
        ).execute()
        return [dict(cell.outputs[-1]) if cell.outputs else {} for cell in done.cells]

    return execute
