"""What every backend promises about objects."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path

import pytest

from reflow.store.objects import ObjectStore
from reflow.values.errors import NotFound, UsageError
from tests.contract.store.conftest import Place

RUNTIME = Path(__file__).parents[3] / "runtime"


@pytest.mark.parametrize("size", [0, 1, 65_536, 3 << 20])
def test_what_was_put_is_read_again(store: ObjectStore, size: int) -> None:
    data = bytes(i * 7 % 251 for i in range(256)) * (size // 256 + 1)
    store.put("F/x", data[:size])
    assert store.get("F/x") == data[:size]
    target = io.BytesIO()
    store.get_into("F/x", target)
    assert target.getvalue() == data[:size]
    with store.open("F/x") as file:
        assert file.read() == data[:size]
        file.seek(0)
        assert file.read(1) == data[:size][:1]


def test_a_put_replaces_what_was_there(store: ObjectStore) -> None:
    store.put("F/x", b"a long first value")
    store.put("F/x", b"2")
    assert store.get("F/x") == b"2"


def test_a_range_is_cut_at_the_objects_end(store: ObjectStore) -> None:
    store.put("F/x", b"0123456789")
    assert store.get_range("F/x", 2, 3) == b"234"
    assert store.get_range("F/x", 0, 1) == b"0"
    assert store.get_range("F/x", 8, 100) == b"89"
    assert store.get_range("F/x", 10, 5) == b""
    assert store.get_range("F/x", 3, 0) == b""


def test_reading_what_is_not_there_says_so(store: ObjectStore) -> None:
    store.put("F/there", b"")
    with pytest.raises(NotFound):
        store.get("F/x")
    with pytest.raises(NotFound):
        store.get_range("F/x", 0, 1)
    with pytest.raises(NotFound):
        store.get_into("F/x", io.BytesIO())
    with pytest.raises(NotFound):
        store.open("F/x")
    with pytest.raises(NotFound):
        store.get("F/there/below")
    with pytest.raises(NotFound):
        store.get("F")
    assert store.stat("F/x") is None


@pytest.mark.parametrize("key", ["../x", "F/../x", "/F", "F//x", "F/", "", "F/ü", "F/a b", "F/./x", ".tmp/x"])
def test_a_key_that_no_backend_could_keep_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(NotFound):
        store.get(key)
    with pytest.raises(NotFound):
        store.put(key, b"")


def test_stat_tells_size_and_age_by_the_stores_clock(store: ObjectStore) -> None:
    store.put("F/x", b"12345")
    info = store.stat("F/x")
    assert info is not None
    assert (info.key, info.size) == ("F/x", 5)
    assert abs(info.modified - store.now()) < 5
    assert abs(store.now() - time.time()) < 5


def test_a_listing_is_in_the_order_of_the_keys_bytes(store: ObjectStore) -> None:
    keys = ["F/a", "F/a-b/c", "F/a.b", "F/a/0", "F/a0", "F/a/Z/1", "F/a/Z-1", "F/b/1", "F/B/1", "G/x"]
    keys.remove("F/a")  # a folder can't hold both F/a and F/a/0, and nothing in the layout needs it
    for key in reversed(keys):
        store.put(key, key.encode())
    assert [i.key for i in store.list("")] == sorted(keys)
    assert [i.key for i in store.list("F/")] == sorted(k for k in keys if k.startswith("F/"))
    assert [i.key for i in store.list("F/a")] == sorted(k for k in keys if k.startswith("F/a"))
    assert [i.key for i in store.list("F/a/Z")] == ["F/a/Z-1", "F/a/Z/1"]
    assert [i.key for i in store.list("nothing/")] == []
    assert [i.size for i in store.list("G/")] == [3]


@pytest.mark.parametrize("after", ["", "F/a", "F/a/Z", "F/a/Z/1", "F/a/Z/2", "F/a0", "F/zzz", "E", "F/a/Z-1"])
def test_a_listing_goes_on_after_a_key(store: ObjectStore, after: str) -> None:
    keys = ["F/B/1", "F/a-b/c", "F/a.b", "F/a/0", "F/a/Z-1", "F/a/Z/1", "F/a0", "F/b/1", "G/x"]
    for key in keys:
        store.put(key, b"")
    assert [i.key for i in store.list("", after=after)] == [k for k in keys if k > after]


def test_a_listing_of_more_than_a_page_is_whole(store: ObjectStore) -> None:
    threads = [threading.Thread(target=_put_many, args=(store, n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [i.key for i in store.list("F/")] == [f"F/{n:04d}" for n in range(2001)]
    store.delete(f"F/{n:04d}" for n in range(2001))
    assert list(store.list("")) == []


def _put_many(store: ObjectStore, worker: int) -> None:
    for number in range(worker, 2001, 8):
        store.put(f"F/{number:04d}", b"")


def test_the_folders_right_below_a_prefix_are_listed(store: ObjectStore) -> None:
    for key in [
        "F/runs/2/manifest",
        "F/runs/10/tasks/a/0_ok",
        "F/runs/last",
        "F/blobs/x",
        "G/runs/3/manifest",
    ]:
        store.put(key, b"")
    assert list(store.list_folders("F/runs/")) == ["10", "2"]
    assert list(store.list_folders("F/runs/9/")) == []
    assert list(store.list_folders("")) == ["F", "G"]


def test_what_was_deleted_is_gone_and_nothing_else(store: ObjectStore) -> None:
    for key in ["F/a/1", "F/a/2", "F/b/1"]:
        store.put(key, b"")
    store.delete(["F/a/1", "F/b/1", "F/never/was"])
    assert [i.key for i in store.list("")] == ["F/a/2"]
    assert list(store.list_folders("F/")) == ["a"]
    store.delete([])
    store.put("F/b/1", b"again")
    assert store.get("F/b/1") == b"again"


def test_a_file_is_put_as_it_is(store: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_bytes(b"content" * 1000)
    store.put_file("F/x", file, sha256(file.read_bytes()).hexdigest())
    assert store.get("F/x") == file.read_bytes()


def test_a_moved_file_is_in_the_store_and_gone_from_where_it_was(store: ObjectStore) -> None:
    file = store.scratch / "contract-test-value"
    file.write_bytes(b"content" * 1000)
    store.move_file("F/x", file, sha256(b"content" * 1000).hexdigest())
    assert store.get("F/x") == b"content" * 1000
    assert not file.exists()
    assert [i.key for i in store.list("")] == ["F/x"]


def test_the_first_put_if_absent_wins(store: ObjectStore) -> None:
    assert store.put_if_absent("F/x", b"first")
    assert not store.put_if_absent("F/x", b"second")
    assert store.get("F/x") == b"first"
    store.delete(["F/x"])
    assert store.put_if_absent("F/x", b"third")


def test_a_put_if_absent_meets_what_a_put_wrote(store: ObjectStore) -> None:
    store.put("F/x", b"")
    assert not store.put_if_absent("F/x", b"second")
    assert store.get("F/x") == b""


def test_of_sixteen_threads_that_put_at_once_exactly_one_wins(store: ObjectStore) -> None:
    for number in range(5):
        key, barrier = f"F/{number}", threading.Barrier(16)
        won: list[bytes] = []

        def put(
            name: bytes, key: str = key, barrier: threading.Barrier = barrier, won: list[bytes] = won
        ) -> None:
            barrier.wait()
            if store.put_if_absent(key, name * 1000):
                won.append(name * 1000)

        threads = [threading.Thread(target=put, args=(b"%02d" % n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [store.get(key)]


_RACE = """
import sys, time
from reflow.store.open import open_store
store = open_store(sys.argv[1])
name = sys.argv[2].encode()
print("ready", flush=True)
sys.stdin.readline()
print("".join("1" if store.put_if_absent(f"F/{n}", name) else "0" for n in range(20)))
"""


def test_of_several_processes_that_put_at_once_exactly_one_wins(place: Place) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACE, place.url, str(number)],
            env={"PYTHONPATH": str(RUNTIME), **place.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    results = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    for number in range(20):
        winners = [str(racer) for racer, result in enumerate(results) if result[number] == "1"]
        assert winners == [place.open().get(f"F/{number}").decode()]


def test_a_store_that_is_fine_is_found_so_and_left_as_it_was(store: ObjectStore) -> None:
    store.check()
    assert list(store.list("")) == []
    store.put("F/x", b"")
    store.check()
    assert [i.key for i in store.list("")] == ["F/x"]


def test_its_address_opens_the_store_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from reflow.store.open import open_store, open_store_long_lived

    for name, value in place.environ.items():
        monkeypatch.setenv(name, value)
    store = place.open()
    store.put("F/x", b"1")
    assert open_store(store.url).get("F/x") == b"1"
    assert open_store_long_lived(store.url).get("F/x") == b"1"
    assert "secret" not in store.url
    assert open_store(store.url).url == store.url


@pytest.mark.parametrize(
    "url", ["gs://x/y", "s3://", "s3://key:secret@host/x", "s3://bucket?colour=red", "s3://bucket?endpoint=x"]
)
def test_an_address_that_is_none_is_refused_with_what_is_wrong(url: str) -> None:
    from reflow.store.open import open_store

    with pytest.raises(UsageError, match="store"):
        open_store(url)


@pytest.mark.minio
def test_what_one_s3_client_writes_the_other_reads(
    twins: tuple[ObjectStore, ObjectStore], tmp_path: Path
) -> None:
    writer, reader = twins
    file = tmp_path / "big"
    file.write_bytes(b"0123456789abcdef" * (3 << 16))  # 3 MiB
    writer.put("F/small", b"1")
    writer.put_file("F/big", file, sha256(file.read_bytes()).hexdigest())
    assert writer.put_if_absent("F/once", b"writer's")
    assert not reader.put_if_absent("F/once", b"reader's")
    assert [(i.key, i.size) for i in reader.list("F/")] == [("F/big", 3 << 20), ("F/once", 8), ("F/small", 1)]
    assert list(reader.list("F/")) == list(writer.list("F/"))
    assert reader.get("F/big") == file.read_bytes()
    assert reader.get("F/once") == b"writer's"
    reader.delete(["F/big"])
    assert writer.stat("F/big") is None
