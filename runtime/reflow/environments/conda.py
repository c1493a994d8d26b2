"""`@conda`: environments that the conda found here resolves and makes; mamba and micromamba will do."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from reflow.environments.commands import Commands
from reflow.environments.errors import Unmakeable
from reflow.environments.here import Here
from reflow.environments.lock import Lock, minor
from reflow.environments.spec import EnvironmentSpec

PROGRAMS = ("conda", "mamba", "micromamba")
DEFAULT_CHANNEL = "conda-forge"


class Conda:
    """Found on PATH, or by CONDA_EXE or MAMBA_EXE, which conda's own activation sets."""

    def __init__(
        self, program: str, here: Here, environ: Mapping[str, str], scratch: Path, commands: Commands
    ) -> None:
        """`scratch`: a folder on the same disk as the environments."""
        self._program = program
        self._here = here
        self._commands = commands
        self._scratch = scratch
        self._channels = [] if environ.get("CONDA_CHANNELS") else ["--channel", DEFAULT_CHANNEL]

    @staticmethod
    def find(here: Here, environ: Mapping[str, str], scratch: Path, commands: Commands) -> Conda:
        """Raises Unmakeable where there's none."""
        path = environ.get("PATH", os.defpath)
        named = [environ.get(name, "") for name in ("CONDA_EXE", "MAMBA_EXE")]
        found = [shutil.which(name, path=path) for name in PROGRAMS] + [
            name for name in named if os.access(name, os.X_OK)
        ]
        program = next((name for name in found if name), None)
        if program is None:
            raise Unmakeable(
                f"its packages are put in place by conda, and none of {', '.join(PROGRAMS)} is on PATH. Install one, "
                f"such as Miniforge, or take @pypi"
            )
        return Conda(program, here, environ, scratch, commands)

    def resolve(self, spec: EnvironmentSpec) -> Lock:
        """Exact builds for this platform: what conda puts into an environment that is thrown away again.

        Raises Unmakeable with conda's own reason.
        """
        python = spec.python or minor(self._here.version)
        folder = Path(tempfile.mkdtemp(prefix="conda-", dir=self._scratch))
        try:
            wanted = [f"python={python}", *spec.requirements]
            self._run("create", "--prefix", str(folder / "env"), *self._channels, *wanted)
            return Lock(spec, python, self._explicit(folder / "env"), self._here.platform)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def make(self, lock: Lock, folder: Path, held: int) -> None:
        """The environment, in place: the very builds of the lock. Raises Unmakeable."""
        with tempfile.NamedTemporaryFile("w", prefix="conda-", suffix=".txt", dir=self._scratch) as explicit:
            explicit.write(lock.pins)
            explicit.flush()
            self._run("create", "--prefix", str(folder), "--file", explicit.name, held=held)

    def _explicit(self, folder: Path) -> str:
        if Path(self._program).name.startswith("micromamba"):
            return self._said("env", "export", "--explicit", "--prefix", str(folder))
        return self._said("list", "--explicit", "--md5", "--prefix", str(folder))

    def _run(self, *arguments: str, held: int | None = None) -> None:
        self._said(*arguments, "--yes", "--quiet", held=held)

    def _said(self, *arguments: str, held: int | None = None) -> str:
        said = self._commands.run([self._program, *arguments], held=held)
        if said.code:
            raise Unmakeable(said.reason)
        return said.out
