"""Values, items and output, on every backend."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reflow.store.errors import TooManyItems, Unpicklable
from reflow.store.flowstore import FlowStore
from reflow.store.logs import LOG_LIMIT, PART_SIZE
from reflow.store.objects import ObjectStore
from reflow.store.values import ArtifactRef, ItemsRef, LogRef
from reflow.values.errors import CorruptObject, NotFound, UnloadableValue
from tests.contract.store.conftest import Place
from tests.contract.store.samples import FLOW, START, manifest, record, resumed, train

MEASURE = Path(__file__).with_name("measure.py")
RUNTIME = Path(__file__).parents[3] / "runtime"


@pytest.fixture
def flow(place: Place) -> FlowStore:
    return FlowStore(place.open(), FLOW)


VALUES: list[Any] = [
    None,
    "",
    b"",
    "ünicode ☃ \ud800",
    10**100,
    {"a": [1, 2.5, (None, {3})]},
    b"x" * 20_000,
    bytearray(b"y" * 300_000),
    list(range(100_000)),
    ValueError("raised"),
    Path("/a/b"),
]


@pytest.mark.parametrize("budget", [0, 16_384])
@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_a_value_comes_back_inline_or_from_a_blob(
    flow: FlowStore, place: Place, value: Any, budget: int
) -> None:
    ref = flow.dump(value, budget=budget)
    assert (ref.inline is not None) == (ref.size <= budget)
    loaded = FlowStore(place.open(), FLOW).load(ref, name="x")
    assert repr(loaded) == repr(value)
    assert ref.type == ("pathlib.PosixPath" if isinstance(value, Path) else type(value).__name__)


def test_the_same_value_is_kept_once(flow: FlowStore) -> None:
    refs = {flow.dump(bytes(500_000), budget=0).sha256 for _ in range(3)}
    assert len(refs) == 1
    assert len(list(flow.objects.list(f"{FLOW}/blobs/"))) == 1


def test_nothing_is_left_behind_beside_the_values(flow: FlowStore) -> None:
    flow.dump(bytes(500_000), budget=0)
    flow.dump(bytes(500_000), budget=0)
    with pytest.raises(Unpicklable):
        flow.dump([bytes(500_000), threading.Lock()], budget=0)
    assert [
        p for p in flow.objects.scratch.iterdir() if "reflow" not in str(p.parent)
    ] == [] or flow.objects.parallel > 1


def test_a_value_that_cannot_be_pickled_is_named_by_its_type(flow: FlowStore) -> None:
    with pytest.raises(Unpicklable, match=r"type dict can't be pickled.*lock"):
        flow.dump({"lock": threading.Lock()}, budget=100)
    with pytest.raises(Unpicklable, match="can't be pickled"):
        flow.dump(lambda: 1, budget=100)


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: b"", lambda d: b"\x00" + d[1:], lambda d: d + b"."]
)
def test_a_blob_that_is_not_what_was_written_is_never_unpickled(flow: FlowStore, damage: Any) -> None:
    for size in (50_000, 3_000_000):
        ref = flow.dump(b"x" * size, budget=0)
        (blob,) = flow.objects.list(f"{FLOW}/blobs/{ref.sha256[:2]}/{ref.sha256}")
        flow.objects.put(blob.key, damage(flow.objects.get(blob.key)))
        with pytest.raises(CorruptObject, match="artifact big"):
            flow.load(ref, name="big")


def test_an_inline_value_is_verified_too(flow: FlowStore) -> None:
    ref = replace(flow.dump([1], budget=100), inline=b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(CorruptObject, match="artifact x"):
        flow.load(ref, name="x")


def test_a_blob_that_is_gone_is_named(flow: FlowStore) -> None:
    with pytest.raises(NotFound, match="artifact x"):
        flow.load(ArtifactRef("00" * 32, 5, "int"), name="x")


def test_a_value_that_does_not_load_says_what_made_it_and_what_is_here(flow: FlowStore) -> None:
    ref = flow.dump(1, budget=100)
    from hashlib import sha256

    foreign = b"cno_such_package.models\nModel\n."
    ref = ArtifactRef(sha256(foreign).hexdigest(), len(foreign), "no_such_package.models.Model", foreign)
    ref = replace(ref, packages=("no_such_package",))
    made_by = record(START, python="3.14.2", packages={"no_such_package": "1.4.2"})
    with pytest.raises(UnloadableValue) as caught:
        flow.load(ref, name="model", made_by=made_by)
    text = str(caught.value)
    assert "Artifact model" in text
    assert "Python 3.14.2 with no_such_package 1.4.2" in text
    assert f"Python {sys.version.split()[0]} with no no_such_package" in text


# Tables


def test_a_task_sees_what_it_set_and_what_came_before(flow: FlowStore) -> None:
    origin = flow.claim(manifest()).run
    flow.commit(origin, record(START, artifacts={n: flow.dump(n * 2, budget=99) for n in "abc"}))
    run = flow.claim(resumed(origin, {origin: (START,)})).run
    mine = record(train(0), artifacts={"b": flow.dump("mine", budget=99)}, base=START, base_depth=1)
    flow.commit(run, mine)
    joined = record(START, inherited={"c": (replace(mine.artifacts["b"], inline=None), train(0))})
    table = flow.table(run, mine)
    assert sorted(table) == ["a", "b", "c"]
    assert {n: flow.load(table[n], name=n) for n in table} == {"a": "aa", "b": "mine", "c": "cc"}
    assert table.held("a")[1].key == START
    assert flow.load(flow.table(run, joined)["c"], name="c") == "mine"
    with pytest.raises(KeyError):
        table["d"]


# Items


@pytest.mark.parametrize("budget", [0, 16_384])
@pytest.mark.parametrize("width", [0, 1, 2, 100])
def test_each_item_comes_back_by_its_index(flow: FlowStore, width: int, budget: int) -> None:
    items = flow.dump_items("xs", ([n, "x" * n] for n in range(width)), budget=budget, limit=100)
    assert (items.variable, items.width) == ("xs", width)
    assert (items.inline is not None) == (items.size <= budget)
    assert [flow.load_item(items, n) for n in range(width)] == [[n, "x" * n] for n in range(width)]
    for wrong in (-1, width):
        with pytest.raises(NotFound, match=f"has {width} items"):
            flow.load_item(items, wrong)


def test_more_items_than_allowed_are_refused_before_they_are_all_made(flow: FlowStore) -> None:
    taken = []

    def endless() -> Iterator[int]:
        while True:
            taken.append(1)
            yield 1

    with pytest.raises(TooManyItems, match="more than 1,000 items"):
        flow.dump_items("xs", endless(), budget=0, limit=1000)
    assert len(taken) == 1001
    assert list(flow.objects.list("")) == []


def test_an_item_that_cannot_be_pickled_is_named(flow: FlowStore) -> None:
    with pytest.raises(Unpicklable, match=r"xs\[2\], of type _thread.lock"):
        flow.dump_items("xs", [1, 2, threading.Lock()], budget=0, limit=9)


def test_a_child_reads_its_item_and_a_few_bytes_more(
    flow: FlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = flow.dump_items("xs", (bytes([n]) * 1000 for n in range(200)), budget=0, limit=999)
    read: list[int] = []
    get_range = flow.objects.get_range

    def counted(key: str, start: int, length: int) -> bytes:
        data = get_range(key, start, length)
        read.append(len(data))
        return data

    monkeypatch.setattr(flow.objects, "get_range", counted)
    assert flow.load_item(items, 150) == bytes([150]) * 1000
    assert len(read) == 2
    assert sum(read) < 1200


def test_items_that_were_damaged_are_never_unpickled(flow: FlowStore) -> None:
    items = flow.dump_items("xs", range(50), budget=0, limit=99)
    (blob,) = flow.objects.list(f"{FLOW}/blobs/")
    whole = flow.objects.get(blob.key)
    damages = [(b"", 0), (whole[:-1], 49), (b"x" * len(whole), 0), (b"\x00" + whole[1:], 0), (whole[:9], 20)]
    for damaged, index in damages:
        flow.objects.put(blob.key, damaged)
        with pytest.raises(CorruptObject, match="xs"):
            flow.load_item(items, index)
    with pytest.raises((CorruptObject, NotFound)):
        flow.load_item(ItemsRef("xs", 3, "00" * 32, 5), 0)


# Output


def read_log(flow: FlowStore, run: str, log: LogRef) -> bytes:
    return b"".join(f.data for f in flow.log(run, record(START, log=log)))


@pytest.mark.parametrize("lines", [0, 1, 100, 2000, 200_000])
def test_output_is_kept_whole_inline_or_in_parts(flow: FlowStore, lines: int) -> None:
    run = flow.claim(manifest()).run
    writer = flow.log_writer(run, START, 0)
    text = [f"line {n} ü\n".encode() for n in range(lines)]
    for start in range(0, lines, 1000):
        writer.write(float(start), "oe"[start // 1000 % 2], b"".join(text[start : start + 1000]))
    log = writer.close()
    assert read_log(flow, run, log) == b"".join(text)
    assert (log.inline is not None) == (lines in (1, 100))
    parts = list(flow.objects.list(f"{FLOW}/runs/{run}/logs/"))
    assert len(parts) == log.parts
    assert all(part.size <= PART_SIZE for part in parts)
    assert [f.stream for f in flow.log(run, record(START, log=log))][:1] == (["o"] if lines else [])


def test_output_can_be_followed_while_the_task_runs(flow: FlowStore) -> None:
    run = flow.claim(manifest()).run
    writer = flow.log_writer(run, START, 3)
    writer.write(100.0, "o", b"first\n")
    writer.tick(101.0)
    assert list(flow.log_so_far(run, START, 3)) == []
    writer.tick(102.0)
    assert [f.data for f in flow.log_so_far(run, START, 3)] == [b"first\n"]
    writer.write(103.0, "e", b"second\n")
    assert writer.due == 107.0
    writer.tick(107.0)
    assert [(f.time, f.stream, f.data) for f in flow.log_so_far(run, START, 3)] == [
        (100.0, "o", b"first\n"),
        (103.0, "e", b"second\n"),
    ]
    assert writer.close() == LogRef(parts=1)


def test_output_past_the_limit_is_cut_and_says_so(flow: FlowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from reflow.store import logs

    monkeypatch.setattr(logs, "LOG_LIMIT", 1 << 20)
    run = flow.claim(manifest()).run
    writer = flow.log_writer(run, START, 0)
    for _ in range(5):
        writer.write(0.0, "o", b"x" * 400_000)
    text = read_log(flow, run, writer.close())
    assert text.startswith(b"x" * 800_000 + b"[output past 1 MiB")
    assert LOG_LIMIT > 1 << 20


def test_a_damaged_log_is_named(flow: FlowStore) -> None:
    run = flow.claim(manifest()).run
    writer = flow.log_writer(run, START, 0)
    writer.write(0.0, "o", b"x" * 5000)
    log = writer.close()
    (part,) = flow.objects.list(f"{FLOW}/runs/{run}/logs/")
    flow.objects.put(part.key, flow.objects.get(part.key)[:-1])
    with pytest.raises(CorruptObject, match=part.key):
        read_log(flow, run, log)


# Big values


@pytest.mark.parametrize(("what", "allowed"), [("dump", 40), ("load", 150), ("items", 40)])
def test_a_value_of_100_mb_is_streamed(place: Place, what: str, allowed: int) -> None:
    """The value is in memory already when it's kept, and once when it was read; beyond that only buffers grow."""
    assert measure(place, what, 100) < allowed


@pytest.mark.slow
@pytest.mark.parametrize(("what", "allowed"), [("dump", 40), ("load", 1100), ("items", 40)])
def test_a_value_of_a_gb_and_more_is_streamed(place: Place, what: str, allowed: int) -> None:
    assert measure(place, what, 1030) < allowed


def measure(place: Place, what: str, megabytes: int) -> int:
    command = [sys.executable, str(MEASURE), place.url, what, str(megabytes)]
    environ = {"PYTHONPATH": str(RUNTIME), **place.environ}
    found = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100)
    assert found.returncode == 0, found.stderr
    return int(found.stdout.split()[0])


def test_a_file_of_several_parts_arrives_whole(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from hashlib import sha256

    from reflow.store import s3_minio, s3_multipart

    monkeypatch.setattr(s3_multipart, "SINGLE_LIMIT", 1 << 20)
    monkeypatch.setattr(s3_multipart, "PART", 5 << 20)
    monkeypatch.setattr(s3_minio, "_PART", 5 << 20)
    data = b"".join(n.to_bytes(8, "big") for n in range(12 << 17))[: (12 << 20) + 17]
    file = store.scratch / "contract-test-parts"
    file.write_bytes(data)
    store.move_file("F/big", file, sha256(data).hexdigest())
    with store.open("F/big") as read:
        assert sha256(read.read()).digest() == sha256(data).digest()
