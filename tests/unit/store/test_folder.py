from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from reflow.store.folder import ABANDONED, FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def test_nothing_is_made_before_the_first_write(store: FolderStore) -> None:
    assert list(store.list("")) == []
    assert store.stat("F/x") is None
    assert not store.root.exists()
    store.put("F/x", b"")
    assert store.root.exists()


def test_files_beside_the_objects_are_not_listed(store: FolderStore) -> None:
    store.put("F/x", b"")
    _ = store.scratch
    lock = Path(store.lock_path("F/x"))
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert [info.key for info in store.list("")] == ["F/x"]
    assert list(store.list_folders("")) == ["F"]


def test_a_writer_and_a_deleter_of_the_same_folder_do_each_other_no_harm(store: FolderStore) -> None:
    """Deleting the last object removes the folder, which a writer may just be about to use."""
    stop = threading.Event()

    def delete() -> None:
        while not stop.is_set():
            store.delete(["F/a/b/other"])

    deleter = threading.Thread(target=delete)
    deleter.start()
    try:
        for number in range(300):
            store.put("F/a/b/other", b"")
            assert store.put_if_absent(f"F/a/b/{number}", b"x")
            store.delete([f"F/a/b/{number}"])
    finally:
        stop.set()
        deleter.join()


def test_what_a_killed_writer_left_is_cleared_away_after_a_day(store: FolderStore) -> None:
    old, new = store.scratch / "old", store.scratch / "new"
    for file in (old, new):
        file.write_bytes(b"half a value")
    past = store.now() - ABANDONED - 60
    os.utime(old, (past, past))
    store.check()
    assert not old.exists()
    assert new.exists()


def test_what_is_deleted_while_it_is_listed_is_left_out(store: FolderStore) -> None:
    for number in range(10):
        store.put(f"F/{number}", b"")
    listing = store.list("F/")
    first = next(listing)
    store.delete(["F/5"])
    assert "F/5" not in [first.key, *(info.key for info in listing)]


def test_many_may_check_and_fill_a_new_store_at_once(tmp_path: Path) -> None:
    """Each check takes away the folder that it made, unless others have put something there."""
    failed: list[BaseException] = []

    def begin(root: Path, number: int) -> None:
        store = FolderStore(root)
        try:
            store.check()
            store.put(f"F/{number}", b"x")
        except BaseException as error:
            failed.append(error)

    for each in range(20):
        root = tmp_path / str(each)
        threads = [threading.Thread(target=begin, args=(root, number)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(list(FolderStore(root).list("F/"))) == 6
