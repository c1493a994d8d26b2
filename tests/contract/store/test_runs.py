"""Claiming, listing, ending and giving up runs, on every backend."""

from __future__ import annotations

import threading

import pytest

from reflow.store import tagging
from reflow.store.errors import RunExists
from reflow.store.flowstore import FlowStore
from reflow.store.values import CodeRef, Manifest, Origin, RunEnd
from reflow.values.errors import CorruptObject, NewerFormat, NotFound, ReflowError
from tests.contract.store.conftest import Place
from tests.contract.store.samples import FLOW, START, manifest, record, run_with_results, train


@pytest.fixture
def flow(place: Place) -> FlowStore:
    return FlowStore(place.open(), FLOW)


def test_run_ids_count_up_from_one(flow: FlowStore) -> None:
    assert [flow.claim(manifest()).run for _ in range(3)] == ["1", "2", "3"]


def test_a_manifest_is_read_as_it_was_claimed(place: Place) -> None:
    claimed = FlowStore(place.open(), FLOW).claim(
        manifest(
            parameters={"alpha": 0.1, "names": ["ä", "☃", "\ud800"], "none": None},
            origin=Origin("k8s-debug-1", "train"),
            clones={"k8s-debug-1": (START, train(0), train(1), train(3))},
            code=CodeRef("flows/train.py", "ab" * 32, alias=True),
            user="ann",
            tags=("a", "ü"),
            python="3.11.7",
            place="cluster",
            digest="abc",
        )
    )
    assert FlowStore(place.open(), FLOW).manifest(claimed.run) == claimed


def test_of_twenty_that_claim_at_once_each_gets_an_id_of_its_own(place: Place) -> None:
    claimed: list[Manifest] = []
    barrier = threading.Barrier(20)

    def claim() -> None:
        flow = FlowStore(place.open(), FLOW)
        barrier.wait()
        claimed.append(flow.claim(manifest()))

    threads = [threading.Thread(target=claim) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(m.run) for m in claimed) == list(range(1, 21))
    flow = FlowStore(place.open(), FLOW)
    assert all(flow.manifest(m.run).owner == m.owner for m in claimed)


def test_a_wanted_id_is_claimed_once_and_again_by_the_same_owner(place: Place) -> None:
    first = FlowStore(place.open(), FLOW).claim(manifest("uid-1", user="ann"), "k8s-debug-1")
    again = FlowStore(place.open(), FLOW).claim(manifest("uid-1", user="other"), "k8s-debug-1")
    assert again == first
    with pytest.raises(RunExists, match="k8s-debug-1"):
        FlowStore(place.open(), FLOW).claim(manifest("uid-2"), "k8s-debug-1")


def test_a_counted_claim_whose_answer_was_lost_is_found_again(flow: FlowStore, place: Place) -> None:
    """The put went through, and the process then died before it could leave the hint: the owner comes again."""
    flow.claim(manifest("ours"))
    flow.objects.delete([f"{FLOW}/runs/last"])
    flow.objects.put(f"{FLOW}/runs/last", b"0")
    assert FlowStore(place.open(), FLOW).claim(manifest("ours")).run == "1"
    assert FlowStore(place.open(), FLOW).claim(manifest("another")).run == "2"


@pytest.mark.parametrize("hint", [b"", b"x", b"-5", b"0", b"17"])
def test_a_wrong_hint_for_the_next_id_costs_nothing_but_requests(flow: FlowStore, hint: bytes) -> None:
    for _ in range(3):
        flow.claim(manifest())
    flow.objects.put(f"{FLOW}/runs/last", hint)
    claimed = int(flow.claim(manifest()).run)
    assert claimed == (18 if hint == b"17" else 4)


def test_a_hint_far_behind_is_made_up_by_a_listing(flow: FlowStore) -> None:
    for number in range(1, 101):
        flow.claim(manifest(), str(number))
    flow.objects.put(f"{FLOW}/runs/last", b"0")
    assert flow.claim(manifest()).run == "101"


def test_runs_are_listed_newest_first(flow: FlowStore) -> None:
    for wanted in [None, "k8s-b", None, "k8s-a"]:
        flow.claim(manifest(), wanted)
    found = list(flow.runs())
    assert found[:2] == ["2", "1"]
    assert set(found[2:]) == {"k8s-a", "k8s-b"}


@pytest.mark.parametrize("run", ["9", "last", "../1", "", "a/b", "."])
def test_a_run_that_is_not_there_is_not_found(flow: FlowStore, run: str) -> None:
    flow.claim(manifest())
    with pytest.raises(NotFound, match="no run"):
        flow.manifest(run)


def test_a_run_given_up_is_gone_and_its_id_free(flow: FlowStore, place: Place) -> None:
    flow.claim(manifest())
    run = flow.claim(manifest("uid-1")).run
    flow.renew(run, "uid-1")
    flow.release(run)
    assert list(flow.runs()) == ["1"]
    with pytest.raises(NotFound):
        flow.manifest(run)
    assert FlowStore(place.open(), FLOW).claim(manifest()).run == run


def test_a_run_with_a_finished_task_is_not_given_up(flow: FlowStore) -> None:
    run = run_with_results(flow, START)
    with pytest.raises(ReflowError, match="finished"):
        flow.release(run)
    assert flow.result(run, START)


def test_a_runs_end_is_kept(flow: FlowStore, place: Place) -> None:
    run = flow.claim(manifest()).run
    assert flow.end(run) is None
    end = RunEnd(False, 12.5, "train", "train/3", "ValueError: ü")
    flow.finish(run, end)
    assert FlowStore(place.open(), FLOW).end(run) == end


def test_tags_are_the_manifests_until_they_are_changed(flow: FlowStore, place: Place) -> None:
    run = flow.claim(manifest(tags=("a", "b"))).run
    assert flow.tags(run) == ("a", "b")
    flow.set_tags(run, ["c", "ä", "c"])
    assert FlowStore(place.open(), FLOW).tags(run) == ("c", "ä")
    with pytest.raises(NotFound):
        flow.set_tags("99", ["x"])


def test_of_tags_that_many_change_at_once_none_is_lost(flow: FlowStore, place: Place) -> None:
    run = flow.claim(manifest(tags=("a",))).run
    failed: list[BaseException] = []

    def work(number: int) -> None:
        mine = FlowStore(place.open(), FLOW)
        try:
            mine.change_tags(run, lambda now: [*now, f"{number}"])
            mine.change_tags(run, lambda now: [*now, f"{number}-gone"])
            mine.change_tags(run, lambda now: set(now) - {f"{number}-gone"})
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert set(flow.tags(run)) == {"a", *map(str, range(6))}
    (listed,) = FlowStore(place.open(), FLOW).listed()
    assert set(listed.tags) == {"a", *map(str, range(6))}


def test_old_tags_are_deleted_in_time(flow: FlowStore) -> None:
    run = flow.claim(manifest()).run
    for number in range(tagging.KEPT + 5):
        flow.set_tags(run, [str(number)])
    assert flow.tags(run) == (str(tagging.KEPT + 4),)
    assert len(list(flow.objects.list(f"{FLOW}/runs/{run}/tagging/"))) == tagging.KEPT


def test_tags_that_an_earlier_version_changed_are_read(flow: FlowStore) -> None:
    run = flow.claim(manifest(tags=("a",))).run
    flow.objects.put(f"{FLOW}/runs/{run}/tags", b'{"v": 1, "tags": ["b"]}')
    assert flow.tags(run) == ("b",)
    flow.change_tags(run, lambda now: [*now, "c"])
    assert flow.tags(run) == ("b", "c")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"v": 1}', b'{"v": 1, "flow": 3, "graph": []}', b"\xff"]
)
def test_a_damaged_manifest_says_which_object_it_is(flow: FlowStore, data: bytes) -> None:
    flow.objects.put(f"{FLOW}/runs/7/manifest", data)
    with pytest.raises(CorruptObject, match=f"{FLOW}/runs/7/manifest"):
        flow.manifest("7")


def test_a_manifest_of_a_newer_reflow_is_refused_by_name(flow: FlowStore) -> None:
    flow.objects.put(f"{FLOW}/runs/7/manifest", b'{"v": 2, "all": "different"}')
    with pytest.raises(NewerFormat, match=r"format 2.*up to format 1"):
        flow.manifest("7")


def test_fields_that_a_newer_reflow_added_are_ignored(flow: FlowStore) -> None:
    from reflow.store import formats

    text = formats.encode_manifest(manifest("uid")("7"))
    flow.objects.put(f"{FLOW}/runs/7/manifest", text[:-1] + b',"colour":"red"}')
    assert flow.manifest("7").owner == "uid"


def test_a_run_is_alive_while_it_is_kept_so(flow: FlowStore, place: Place) -> None:
    run = flow.claim(manifest("uid-1")).run
    other = FlowStore(place.open(), FLOW)
    assert not other.liveness(run).alive
    with flow.keep_alive(run, "uid-1"):
        found = other.liveness(run)
        assert found.alive
        assert (found.owner, found.pid > 0, found.host != "") == ("uid-1", True, True)
        flow.finish(run, RunEnd(True, 1.0))
        assert not other.liveness(run).alive


def test_a_finished_run_of_another_flow_is_not_in_the_way(place: Place) -> None:
    one, two = FlowStore(place.open(), FLOW), FlowStore(place.open(), "OtherFlow")
    one.claim(manifest())
    assert two.claim(manifest()).run == "1"
    one.commit("1", record(START))
    assert two.result("1", START) is None
