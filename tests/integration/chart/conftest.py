"""Helm, where there is one."""

from __future__ import annotations

import shutil

import pytest

from tests.cluster import build


@pytest.fixture(scope="session")
def helm() -> str:
    """The path of Helm: the test cluster's own, else the machine's."""
    built = sorted(build.helm().folder().rglob("helm"))
    found = str(built[0]) if built else shutil.which("helm")
    if not found:
        pytest.skip("Helm is not here; `python3 -m tests.cluster build` builds it.")
    return found
