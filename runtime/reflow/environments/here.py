"""The Python that starts the run, or a Pod's, and its platform."""

from __future__ import annotations

import os
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
        return Here(sys.executable, ".".join(map(str, sys.version_info[:3])), _platform())

    def is_version(self, wanted: str) -> bool:
        """Whether this Python is one that `wanted`, such as `3.12` or `3.12.1`, asks for."""
        return f"{self.version}.".startswith(f"{wanted}.")


def _platform() -> str:
    """`linux-x86_64`, `darwin-arm64`; with what else makes a difference behind it."""
    parts = [sys.platform, os.uname().machine]
    if sys.platform == "linux" and not _has_glibc():
        parts.append("musl")
    if sys.implementation.name != "cpython" or sys.abiflags:
        parts.append(f"{sys.implementation.name}{sys.abiflags}")
    return "-".join(parts)


def _has_glibc() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (ValueError, OSError):
        return False
