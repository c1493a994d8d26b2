"""`@pypi`: environments that uv resolves and makes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from reflow.environments.commands import Commands, beside_or_on_path
from reflow.environments.errors import Unmakeable
from reflow.environments.here import Here
from reflow.environments.lock import Lock, minor
from reflow.environments.spec import EnvironmentSpec

INSTALL = "pip install 'reflow[pypi]'"


class Uv:
    """Found beside the running Python, where the extra `reflow[pypi]` puts it, or on PATH."""

    def __init__(self, program: str, here: Here, commands: Commands) -> None:
        self._program = program
        self._here = here
        self._commands = commands

    @staticmethod
    def find(here: Here, environ: Mapping[str, str], commands: Commands) -> Uv:
        """Raises Unmakeable where there's none."""
        program = beside_or_on_path("uv", environ, Path(sys.executable).parent)
        if program is None:
            raise Unmakeable(
                f"its packages are put in place by uv, which is neither on PATH nor beside this Python. Install it: "
                f"{INSTALL}"
            )
        return Uv(program, here, commands)

    def resolve(self, spec: EnvironmentSpec) -> Lock:
        """Exact versions with hashes, for every platform. Raises Unmakeable with uv's own reason."""
        pins = ""
        if spec.packages:
            pins = self._run(
                "pip", "compile", "-", "--universal", "--generate-hashes", "--no-header", "--no-annotate",
                "--no-emit-index-url", "--python", self._here.executable,
                "--python-version", self._version(spec.python),
                given="\n".join(spec.requirements) + "\n",
            )  # fmt: skip
        return Lock(spec, spec.python or minor(self._here.version), pins)

    def make(self, lock: Lock, folder: Path, held: int) -> None:
        """The environment, in place. Raises Unmakeable."""
        self._run("venv", "--no-project", "--python", self._interpreter(lock), str(folder), held=held)
        if lock.pins:
            self._run(
                "pip", "sync", "-", "--compile-bytecode", "--python", str(folder / "bin" / "python"),
                given=lock.pins, held=held,
            )  # fmt: skip

    def install_into(self, folder: Path, lock: Lock, triple: str, python: str) -> None:
        """The packages alone, as wheels of a platform and Python that needn't be here. Raises Unmakeable."""
        if lock.pins:
            self._run(
                "pip", "install", "--target", str(folder), "--python", self._here.executable, "--no-deps",
                "--only-binary", ":all:", "--python-platform", triple, "--python-version", python,
                "--requirements", "-", given=lock.pins,
            )  # fmt: skip

    def _version(self, python: str) -> str:
        """In full where it's this Python's: what needs a later one of the same series isn't taken then."""
        return self._here.version if not python or self._here.is_version(python) else python

    def _interpreter(self, lock: Lock) -> str:
        return self._here.executable if self._here.is_version(lock.python) else lock.python

    def _run(self, *arguments: str, given: str = "", held: int | None = None) -> str:
        said = self._commands.run([self._program, *arguments, "--quiet"], given=given, held=held)
        if said.code:
            raise Unmakeable(said.reason)
        return said.out
