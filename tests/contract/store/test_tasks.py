"""Records: what commits a task, and what a run's tasks are read from, on every backend."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from reflow.store import formats
from reflow.store.flowstore import FlowStore
from reflow.store.values import (
    ArtifactRef,
    ExceptionInfo,
    IndexEntry,
    ItemsRef,
    LogRef,
    Record,
    Status,
)
from reflow.values.errors import CorruptObject, NewerFormat, NotFound
from reflow.values.key import TaskKey
from tests.contract.store.conftest import Place
from tests.contract.store.samples import (
    FLOW,
    START,
    failed,
    manifest,
    record,
    resumed,
    run_with_results,
    train,
)


@pytest.fixture
def flow(place: Place) -> FlowStore:
    return FlowStore(place.open(), FLOW)


@pytest.fixture
def run(flow: FlowStore) -> str:
    return flow.claim(manifest()).run


FULL = Record(
    key=TaskKey("train", (2, 3), (1,)),
    attempt=1,
    launch=4,
    nonce="n",
    status=Status.CAUGHT,
    started=1.5,
    ended=2.25,
    width=3,
    case="ünicode",
    artifacts={
        "x": ArtifactRef("aa", 3, "int", b"\x80\x05K", ("numpy", "sklearn")),
        "big": ArtifactRef("bb", 10**10, "numpy.ndarray"),
        "empty": ArtifactRef("cc", 0, "str", b""),
    },
    inherited={"y": (ArtifactRef("dd", 5, "str"), TaskKey("start"))},
    base=TaskKey("start", (2,)),
    base_depth=3,
    items=ItemsRef("parts", 3, "ee", 200, b"items"),
    exception=ExceptionInfo("ValueError", "bäd \ud800", "File …", "all of it", {"x": "1"}),
    log=LogRef(inline=b"\x00\xff"),
    python="3.11.7",
    packages={"numpy": "2.1"},
    host="pod-1",
    pid=77,
    final=True,
)


@pytest.mark.parametrize(
    "committed", [FULL, replace(FULL, status=Status.FAILED, log=LogRef(parts=3)), record(START)]
)
def test_a_record_is_read_as_it_was_committed(
    flow: FlowStore, run: str, place: Place, committed: Record
) -> None:
    assert flow.commit(run, committed) == committed
    other = FlowStore(place.open(), FLOW)
    if committed.status.finished:
        assert other.result(run, committed.key) == committed
        assert other.result_exists(run, committed.key)
    else:
        assert other.failure(run, committed.key, committed.attempt) == committed
        assert other.result(run, committed.key) is None
        assert not other.result_exists(run, committed.key)


def test_the_first_result_wins_and_the_second_is_told_so(flow: FlowStore, run: str) -> None:
    first, second = record(START, width=1), record(START, width=2)
    assert flow.commit(run, first) == first
    assert flow.commit(run, second) == first
    assert flow.result(run, START) == first


def test_committing_ones_own_record_again_is_success(flow: FlowStore, run: str) -> None:
    """As after an answer that was lost."""
    mine = record(START)
    assert flow.commit(run, mine).nonce == mine.nonce
    assert flow.commit(run, mine).nonce == mine.nonce


def test_each_failed_attempt_has_a_record_of_its_own_where_the_first_wins_too(
    flow: FlowStore, run: str
) -> None:
    first, second = failed(START, 0), failed(START, 1)
    flow.commit(run, first)
    flow.commit(run, second)
    assert flow.commit(run, failed(START, 1)) == second
    assert flow.failures(run, START) == [first, second]
    assert flow.failure(run, START, 2) is None
    success = flow.commit(run, record(START, attempt=2))
    assert flow.result(run, START) == success


def test_attempts_past_the_tenth_are_in_their_order(flow: FlowStore, run: str) -> None:
    for attempt in range(12):
        flow.commit(run, failed(START, attempt))
    flow.commit(run, failed(TaskKey("start", (0, 1)), 0))
    assert [r.attempt for r in flow.failures(run, START)] == list(range(12))
    assert [e.attempt for e in flow.index(run) if e.key == START] == [11]


def test_of_many_that_commit_at_once_one_wins_and_all_hear_which(place: Place, run: str) -> None:
    barrier, told = threading.Barrier(12), []

    def commit() -> None:
        flow, mine = FlowStore(place.open(), FLOW), record(START)
        barrier.wait()
        told.append(flow.commit(run, mine).nonce)

    threads = [threading.Thread(target=commit) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = FlowStore(place.open(), FLOW).result(run, START)
    assert won
    assert told == [won.nonce] * 12


@pytest.mark.parametrize("cut", [0, 1, 0.5, -1])
def test_a_record_that_was_cut_short_is_named(flow: FlowStore, run: str, cut: float) -> None:
    whole = formats.encode_record(record(START))
    name = f"{FLOW}/runs/{run}/tasks/start/0_ok"
    flow.objects.put(name, whole[: int(len(whole) * cut) if isinstance(cut, float) else cut])
    with pytest.raises(CorruptObject, match=name):
        flow.result(run, START)


def test_a_record_of_a_newer_reflow_is_refused_by_name(flow: FlowStore, run: str) -> None:
    flow.objects.put(f"{FLOW}/runs/{run}/tasks/start/0_ok", b'{"v": 7}')
    with pytest.raises(NewerFormat, match="format 7"):
        flow.result(run, START)


# The index


def entries(flow: FlowStore, run: str) -> set[IndexEntry]:
    found = flow.index(run)
    assert len(found) == len(set(found))
    return set(found)


def some_tasks(flow: FlowStore, run: str) -> tuple[list[Record], set[IndexEntry]]:
    """Twelve tasks of every kind, and what the index should say of them."""
    records = [record(START, width=10), *(record(train(n)) for n in range(7))]
    records += [failed(train(7), 0), record(train(7), attempt=1, case="x")]
    records += [failed(train(8), 0), failed(train(8), 1)]
    records += [record(train(9), Status.CAUGHT)]
    for each in records:
        flow.commit(run, each)
    expected = {IndexEntry(START, 0, Status.SUCCEEDED, width=10)}
    expected |= {IndexEntry(train(n), 0, Status.SUCCEEDED) for n in range(7)}
    expected |= {IndexEntry(train(7), 1, Status.SUCCEEDED, case="x"), IndexEntry(train(8), 1, Status.FAILED)}
    expected |= {IndexEntry(train(9), 0, Status.CAUGHT)}
    return records, expected


def test_the_index_without_a_ledger_is_read_from_the_records(flow: FlowStore, run: str) -> None:
    assert entries(flow, run) == set()
    _, expected = some_tasks(flow, run)
    assert entries(flow, run) == expected


def test_the_index_is_the_same_with_a_whole_a_part_or_a_wrong_ledger(flow: FlowStore, run: str) -> None:
    records, expected = some_tasks(flow, run)
    for upto in (3, 10, len(records)):
        ledger = flow.ledger(run)
        for each in records[:upto]:
            ledger.add(each)
        ledger.add(record(train(100)))  # names a task that has no record
        ledger.flush()
        assert entries(flow, run) == expected
    for segment in list(flow.objects.list(f"{FLOW}/runs/{run}/ledger/")):
        flow.objects.put(segment.key, b"damaged")
    assert entries(flow, run) == expected


def test_two_ledger_writers_do_each_other_no_harm(flow: FlowStore, run: str) -> None:
    records, expected = some_tasks(flow, run)
    writers = [flow.ledger(run), flow.ledger(run)]
    for number, each in enumerate(records):
        writers[number % 2].add(each)
        writers[0].add(each)
    for writer in writers:
        writer.flush()
        assert writer.waiting == 0
    assert entries(flow, run) == expected
    keys = [train(n) for n in (*range(8), 9)]
    assert [r.key for r in flow.records(run, "train", keys)] == keys


def test_with_a_ledger_the_index_reads_no_record(
    flow: FlowStore, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, expected = some_tasks(flow, run)
    ledger = flow.ledger(run)
    for each in records:
        ledger.add(each)
    ledger.flush()
    read: list[str] = []
    get = flow.objects.get

    def noted(key: str) -> bytes:
        read.append(key)
        return get(key)

    monkeypatch.setattr(flow.objects, "get", noted)
    assert entries(flow, run) == expected
    assert [key for key in read if "/tasks/" in key] == []


# Many records


def test_many_records_come_in_the_order_asked_for_from_packs_or_not(flow: FlowStore, run: str) -> None:
    committed = [flow.commit(run, record(train(n), width=n)) for n in range(40)]
    order = [train(n) for n in (39, 0, 17, *range(1, 15))]
    expected = [committed[key.foreach[0]] for key in order]
    assert flow.records(run, "train", order) == expected
    ledger = flow.ledger(run)
    for each in committed[:20]:
        ledger.add(each)
    ledger.flush()
    assert flow.records(run, "train", order) == expected
    assert flow.records(run, "train", []) == []
    with pytest.raises(NotFound, match="train/40"):
        flow.records(run, "train", [train(1), train(40)])


def test_a_damaged_pack_is_as_good_as_none(flow: FlowStore, run: str) -> None:
    committed = [flow.commit(run, record(train(n))) for n in range(5)]
    ledger = flow.ledger(run)
    for each in committed:
        ledger.add(each)
    ledger.flush()
    (pack,) = flow.objects.list(f"{FLOW}/runs/{run}/ledger/packs/train/")
    whole = flow.objects.get(pack.key)
    for damaged in (
        b"",
        whole[:5],
        whole[:20],
        whole[:-1],
        b"x" * 300,
        whole[:8] + b"\xff\xff\xff\xff" + whole[12:],
    ):
        flow.objects.put(pack.key, damaged)
        assert flow.records(run, "train", [r.key for r in committed]) == committed


def test_a_pack_bigger_than_the_first_read_is_read_to_its_end(flow: FlowStore, run: str) -> None:
    made = [record(train(n), host="h" * 500) for n in range(300)]
    ledger = flow.ledger(run)
    for each in made:
        ledger.add(each)
    ledger.flush()
    assert flow.records(run, "train", [train(n) for n in range(300)]) == made
    assert flow.records(run, "train", [train(n) for n in (3, 7, 299)]) == [made[3], made[7], made[299]]


# Clones


def test_a_clones_tasks_are_read_through_to_the_origin(flow: FlowStore, place: Place) -> None:
    origin = run_with_results(flow, START, train(0), train(1))
    resume = flow.claim(resumed(origin, {origin: (START, train(0))})).run
    fresh = flow.commit(resume, record(train(1)))
    for reader in (flow, FlowStore(place.open(), FLOW)):
        assert reader.result(resume, START) == reader.result(origin, START)
        assert reader.result(resume, train(0)) == reader.result(origin, train(0))
        assert reader.result(resume, train(1)) == fresh
        assert reader.result(resume, train(2)) is None
        assert reader.result_exists(resume, START)
        assert not reader.result_exists(resume, train(2))
        assert {e.key for e in reader.index(resume)} == {START, train(0), train(1)}
        assert reader.records(resume, "train", [train(0), train(1)]) == [
            reader.result(origin, train(0)),
            fresh,
        ]
        assert (reader.holder(resume, START), reader.holder(resume, train(1))) == (origin, resume)


def test_a_resume_of_a_resume_reads_from_both(flow: FlowStore) -> None:
    first = run_with_results(flow, START, train(0))
    second = flow.claim(resumed(first, {first: (START, train(0))})).run
    flow.commit(second, record(train(1)))
    third = flow.claim(resumed(second, {first: (START, train(0)), second: (train(1),)})).run
    assert {e.key for e in flow.index(third)} == {START, train(0), train(1)}
    assert flow.result(third, train(1)) == flow.result(second, train(1))
    assert [r.key for r in flow.records(third, "train", [train(1), train(0)])] == [train(1), train(0)]


def test_a_task_of_the_origin_that_is_not_cloned_is_not_read(flow: FlowStore) -> None:
    origin = run_with_results(flow, START, train(0))
    resume = flow.claim(resumed(origin, {origin: (START,)})).run
    assert flow.result(resume, train(0)) is None
    assert {e.key for e in flow.index(resume)} == {START}


def test_the_logs_of_a_clone_are_the_origins(flow: FlowStore) -> None:
    origin = flow.claim(manifest()).run
    writer = flow.log_writer(origin, START, 0)
    writer.write(1.0, "o", b"hello\n" * 2000)
    flow.commit(origin, record(START, log=writer.close()))
    resume = flow.claim(resumed(origin, {origin: (START,)})).run
    cloned = flow.result(resume, START)
    assert cloned
    assert b"".join(f.data for f in flow.log(resume, cloned)) == b"hello\n" * 2000


def test_thousands_of_cloned_keys_take_a_few_hundred_bytes(flow: FlowStore) -> None:
    keys = tuple(train(n) for n in range(10_000) if n != 5000)
    resume = flow.claim(resumed("1", {"1": (START, *keys)})).run
    assert flow.objects.stat(f"{FLOW}/runs/{resume}/manifest").size < 1500  # type: ignore[union-attr]
    assert flow.manifest(resume).clones["1"] == (START, *keys)
