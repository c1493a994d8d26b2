"""Objects in a store are counted by what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cost import content, kind_of


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("blobs/ab/abcd", "blobs"),
        ("code/abcd", "code"),
        ("runs/last", "run"),
        ("runs/1/manifest", "run"),
        ("runs/1/tasks/work/3_ok", "records"),
        ("runs/1/ledger/index/00000001-ab", "ledger"),
        ("runs/1/logs/work/3_0/000000", "logs"),
    ],
)
def test_an_object_is_counted_as_what_it_is(path: str, kind: str) -> None:
    assert kind_of(Path(path).parts) == kind


def test_objects_and_bytes_are_added_up(tmp_path: Path) -> None:
    for name in ("0_ok", "1_ok"):
        file = tmp_path / "runs" / "1" / "tasks" / "work" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"12345")
    found = content(tmp_path)
    assert found.objects == {"records": 2}
    assert found.bytes == {"records": 10}
