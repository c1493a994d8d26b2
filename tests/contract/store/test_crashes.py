"""A process that is killed at any write leaves whole objects or none, and what it did can be done again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reflow.store.s3_slim import SlimS3
from tests.contract.store.conftest import s3_place
from tests.contract.store.minio_server import Server

HERE = Path(__file__)
ROOT = HERE.parents[3]


def points(url: str, environ: dict[str, str]) -> int:
    found = subprocess.run(
        [sys.executable, str(HERE.with_name("crash.py")), url],
        env={"PYTHONPATH": f"{ROOT / 'runtime'}:{ROOT}", **environ},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert found.returncode == 0, found.stderr
    return int(found.stdout)


def test_a_kill_at_any_system_call_on_a_folder_breaks_nothing(tmp_path: Path) -> None:
    assert points(str(tmp_path / "store"), {}) > 40


@pytest.mark.minio
def test_a_kill_around_any_request_to_s3_breaks_nothing(minio: Server) -> None:
    place = s3_place(minio, SlimS3)
    assert points(place.url, place.environ) >= 20
