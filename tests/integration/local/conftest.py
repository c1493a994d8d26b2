"""An empty folder to work in; and the same with each way of starting tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.local.laptop import Laptop

MODES = [
    pytest.param((), id="forked"),
    pytest.param(("--fresh-process",), id="fresh"),
    pytest.param(("--max-workers", "1"), id="one-at-a-time"),
]


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path)


@pytest.fixture(params=MODES)
def each_way(request: pytest.FixtureRequest, tmp_path: Path) -> Laptop:
    """The same test with each way in which tasks are started."""
    return Laptop(tmp_path, request.param)
