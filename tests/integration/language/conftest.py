"""A folder to play commands in; and the same with each way of starting tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.local.laptop import Laptop


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path)


@pytest.fixture(params=[pytest.param((), id="forked"), pytest.param(("--fresh-process",), id="fresh")])
def each_way(request: pytest.FixtureRequest, tmp_path: Path) -> Laptop:
    """The same test with tasks forked, and each in a Python of its own."""
    return Laptop(tmp_path, request.param)
