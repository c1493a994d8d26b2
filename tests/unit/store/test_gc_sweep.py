from __future__ import annotations

from pathlib import Path

import pytest

from reflow.store import layout
from reflow.store.folder import FolderStore
from reflow.store.gc_live import Live
from reflow.store.gc_sweep import LAPSED, RENEW, Sweep
from reflow.store.sweeps import Mark, runs_may_be_gone
from reflow.values.errors import StoreUnreachable


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    found = FolderStore(tmp_path / "store")
    found.put("F/blobs/aa/x", b"1")
    return found


@pytest.mark.parametrize("jump", [LAPSED + 1, -5.0])
def test_a_sweep_that_was_held_up_deletes_nothing_more(store: FolderStore, jump: float) -> None:
    clock = Clock()
    with Sweep(store, "F", Mark(contents=True), clock=clock) as sweep:
        clock.now += jump
        with pytest.raises(StoreUnreachable, match="held up"):
            sweep.delete(["F/blobs/aa/x"])
    assert store.stat("F/blobs/aa/x")


def test_a_long_sweep_renews_its_mark(store: FolderStore) -> None:
    clock = Clock()
    with Sweep(store, "F", Mark(contents=True), clock=clock) as sweep:
        for _ in range(20):
            clock.now += RENEW + 1
            sweep.delete(["F/blobs/aa/x"])
    assert len(list(store.list(layout.sweeps("F")))) == 1


def test_a_sweep_that_is_over_makes_nobody_wait_but_look(store: FolderStore) -> None:
    with Sweep(store, "F", Mark(runs=frozenset({"1"}))):
        assert runs_may_be_gone(store, "F", {"2"})  # not of these runs: no need to wait
    assert runs_may_be_gone(store, "F", {"1"})
    assert not runs_may_be_gone(store, "G", {"1"})


def test_hashes_in_use_are_found_again_bucket_by_bucket() -> None:
    names = [f"{n % 7:02x}{n:062x}" for n in range(3000)]
    with Live() as live:
        for name in names:
            live.add(name)
        for bucket in range(8):
            wanted = {bytes.fromhex(name) for name in names if name.startswith(f"{bucket:02x}")}
            assert live.bucket(f"{bucket:02x}") == wanted
