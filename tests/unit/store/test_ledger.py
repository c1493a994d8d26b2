from __future__ import annotations

from pathlib import Path

import pytest

from reflow.store import layout, ledger
from reflow.store.folder import FolderStore
from reflow.store.ledger import LedgerWriter
from reflow.store.values import IndexEntry, Status
from reflow.values.errors import CorruptObject, StoreError, StoreUnreachable
from reflow.values.key import TaskKey
from tests.contract.store.samples import record, train

RUN = layout.run("F", "1")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def segments(store: FolderStore, prefix: str) -> list[str]:
    return [info.key for info in store.list(prefix)]


def test_an_entry_takes_about_fifty_bytes() -> None:
    entries = [IndexEntry(train(n), 0, Status.SUCCEEDED) for n in range(1000)]
    data = ledger.encode_index(entries)
    assert len(data) < 1000 * 60
    assert ledger.decode_index(data, "x") == entries


def test_segments_are_written_as_they_fill_up_and_hold_a_thousand_tasks(store: FolderStore) -> None:
    writer = LedgerWriter(store, RUN)
    for n in range(2500):
        writer.add(record(train(n)))
    assert len(segments(store, RUN.index)) == 2
    assert len(segments(store, RUN.packs("train"))) == 2
    assert writer.waiting == 1000
    writer.flush()
    assert len(segments(store, RUN.index)) == 3
    assert {e.key for e in ledger.read_index(store, RUN)} == {train(n) for n in range(2500)}
    assert len(list(ledger.read_packs(store, RUN, "train", {str(n) for n in range(2500)}))) == 2500


def test_big_records_fill_a_pack_by_their_bytes(store: FolderStore) -> None:
    writer = LedgerWriter(store, RUN)
    for n in range(50):
        writer.add(record(train(n), host="h" * 200_000))
    assert len(segments(store, RUN.packs("train"))) == 2


def test_many_steps_at_once_stay_within_the_same_memory(store: FolderStore) -> None:
    writer = LedgerWriter(store, RUN)
    for n in range(50):
        writer.add(record(TaskKey(f"step{n}"), host="h" * 1_000_000))
    assert sum(writer._pack_bytes.values()) < 9_000_000


def test_a_failed_attempt_is_in_the_index_and_in_no_pack(store: FolderStore) -> None:
    writer = LedgerWriter(store, RUN)
    writer.add(record(train(1), Status.FAILED, attempt=2))
    writer.flush()
    assert ledger.read_index(store, RUN) == [IndexEntry(train(1), 2, Status.FAILED)]
    assert segments(store, RUN.packs("train")) == []


def test_what_a_store_in_trouble_did_not_take_is_written_later(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LedgerWriter(store, RUN)
    writer.add(record(train(1)))
    with monkeypatch.context() as patch:

        def trouble(key: str, data: bytes) -> None:
            raise StoreUnreachable("no answer")

        patch.setattr(store, "put", trouble)
        with pytest.raises(StoreError):
            writer.flush()
    writer.flush()
    assert [e.key for e in ledger.read_index(store, RUN)] == [train(1)]
    assert len(list(ledger.read_packs(store, RUN, "train", {"1"}))) == 1


def test_an_index_that_is_no_index_is_damage() -> None:
    for data in (
        b"",
        b"{}",
        b'{"v":1}',
        b'{"v":1,"entries":[1]}',
        b'{"v":1,"entries":[["a",[],[],0,"odd",null,null]]}',
    ):
        with pytest.raises(CorruptObject):
            ledger.decode_index(data, "x")
