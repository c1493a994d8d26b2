"""An empty folder to debug in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.local.laptop import Laptop


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path)
