"""The Python that starts the run, and its platform."""

from __future__ import annotations

import os
import platform
import sys

from reflow.values.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Here:
    """`version`: of Python, in full; `platform`: what decides whether a built package fits."""

    executable: str
    version: str
    platform: str

    @staticmethod
    def find() -> Here:
        kind = f"{sys.platform}-{os.uname().machine}"
        plain = sys.implementation.name == "cpython" and not sys.abiflags
        return Here(
            sys.executable,
            platform.python_version(),
            kind if plain else f"{kind}-{sys.implementation.name}{sys.abiflags}",
        )

    def is_version(self, wanted: str) -> bool:
        """Whether this Python is one that `wanted`, such as `3.12` or `3.12.1`, asks for."""
        return f"{self.version}.".startswith(f"{wanted}.")
