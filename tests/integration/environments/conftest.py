"""A laptop with a bare Python, a uv that notes how it is called, and a folder of packages for an index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.environments.wheelhouse import wheel
from tests.integration.local.laptop import RUNTIME, Laptop

UV = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))

SHIM = """#!/bin/sh
echo "$@" >> {folder}/calls
{before}
exec {uv} "$@"
"""


class Bench(Laptop):
    """`calls`: how uv was called. `packages`: the index, empty at first."""

    def __init__(self, folder: Path, tools: Path) -> None:
        super().__init__(folder)
        self.tools = tools
        self.cache = tools / "cache"
        self.packages = tools / "packages"
        self.packages.mkdir()
        (tools / "bin").mkdir()
        self.before_uv("")
        self.environ = {
            "PATH": f"{tools / 'bin'}:/usr/bin:/bin",
            "HOME": str(tools),
            "XDG_CACHE_HOME": str(self.cache),
            "UV_CACHE_DIR": str(tools / "uv"),
            "UV_FIND_LINKS": str(self.packages),
            "UV_NO_INDEX": "1",
            "UV_OFFLINE": "1",
        }

    def before_uv(self, script: str) -> None:
        """What a shell does whenever uv is called, before it is."""
        aside = self.tools / "uv.new"
        aside.write_text(SHIM.format(folder=self.tools, before=script, uv=UV))
        aside.chmod(0o755)
        aside.replace(self.tools / "bin" / "uv")

    @property
    def calls(self) -> list[str]:
        path = self.tools / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def forget_calls(self) -> None:
        (self.tools / "calls").unlink(missing_ok=True)

    @property
    def environments(self) -> list[Path]:
        """Those that are whole."""
        return sorted(made.parent for made in (self.cache / "reflow" / "environments").glob("*/.reflow-made"))


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python without any package, and so without uv beside it."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
    return folder / "bin" / "python"


@pytest.fixture
def bench(tmp_path: Path, bare_python: Path) -> Bench:
    if UV is None:
        pytest.skip("no uv here: pip install 'reflow[pypi]'")
    for name in ("work", "tools"):
        (tmp_path / name).mkdir()
    found = Bench(tmp_path / "work", tmp_path / "tools")
    found.python = str(bare_python)
    assert RUNTIME.is_dir()
    for name, version in (("alpha", "1.0"), ("alpha", "1.1"), ("alpha", "2.0"), ("gamma", "1.0")):
        wheel(found.packages, name, version)
    wheel(found.packages, "beta", "1.0", requires=["alpha>=1"], extras={"more": "gamma"})
    return found
