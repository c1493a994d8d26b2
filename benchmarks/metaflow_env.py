"""A virtual environment with Metaflow from PyPI, and what measured scripts import, made once and kept in the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster.settings import cache_root

VERSION = "2.19.39"
SCRIPTS = ("numpy>=2,<3", "pandas>=2.2,<3")  # what measured scripts import


def python() -> Path:
    """The Python that has Metaflow; the environment is made where it isn't there yet."""
    folder = cache_root() / "benchmarks" / f"metaflow-{VERSION}-with-pandas"
    program = folder / "bin" / "python"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        print(f"Installing Metaflow {VERSION} from PyPI into {folder} …", file=sys.stderr, flush=True)
        for command in _commands(folder, program):
            subprocess.run(command, check=True, timeout=600)
        (folder / "ready").touch()
    return program


def _commands(folder: Path, program: Path) -> list[list[str]]:
    wanted = (f"metaflow=={VERSION}", *SCRIPTS)
    uv = Path(sys.executable).parent / "uv"
    if uv.exists():
        return [
            [str(uv), "venv", "-q", "--python", sys.executable, str(folder)],
            [str(uv), "pip", "install", "-q", "--compile-bytecode", "--python", str(program), *wanted],
        ]
    return [
        [sys.executable, "-m", "venv", str(folder)],
        [str(program), "-m", "pip", "install", "-q", "--disable-pip-version-check", *wanted],
    ]


def environment(folder: Path) -> dict[str, str]:
    """Settings that keep everything in `folder` and nothing on a network."""
    return {
        "METAFLOW_HOME": str(folder / "metaflow-home"),
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder),
        "METAFLOW_DEFAULT_DATASTORE": "local",
        "METAFLOW_DEFAULT_METADATA": "local",
        "METAFLOW_USER": "bench",
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
    }
