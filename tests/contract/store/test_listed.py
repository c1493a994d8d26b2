"""The list of a flow's runs, from the catalog and without it."""

from __future__ import annotations

import pytest

from reflow.store import layout
from reflow.store.flowstore import FlowStore
from reflow.store.values import Origin, RunEnd
from tests.contract.store.conftest import Place
from tests.contract.store.samples import FLOW, manifest
from tests.contract.store.turns import Ages, TurnStore


@pytest.fixture
def flow(place: Place) -> FlowStore:
    return FlowStore(place.open(), FLOW)


def some_runs(flow: FlowStore) -> None:
    """An old one that failed, a newer one that resumed it, and one at work."""
    first = flow.claim(manifest(created=10.0, user="ann", tags=("a",))).run
    flow.finish(first, RunEnd(False, 11.0, "train", "train/17"))
    second = flow.claim(manifest(created=20.0, origin=Origin(first, "train")), "k8s-two").run
    flow.finish(second, RunEnd(True, 21.0))
    flow.set_tags(first, ["b", "ünïcode"])
    flow.claim(manifest(created=30.0))


def test_all_runs_are_listed_newest_first_with_what_is_known_of_them(flow: FlowStore) -> None:
    some_runs(flow)
    newest, second, first = flow.listed()
    assert (newest.run, newest.end) == ("2", None)
    assert (second.run, second.origin, second.from_step) == ("k8s-two", "1", "train")
    assert (first.user, first.tags) == ("ann", ("b", "ünïcode"))
    assert first.end == RunEnd(False, 11.0, "train", "train/17")


def test_without_the_catalog_the_same_is_read_from_the_runs(flow: FlowStore) -> None:
    some_runs(flow)
    known = flow.listed()
    flow.objects.delete([info.key for info in flow.objects.list(layout.catalog(FLOW))])
    assert FlowStore(flow.objects, FLOW).listed() == known


def test_damage_in_the_catalog_does_no_harm(flow: FlowStore) -> None:
    some_runs(flow)
    known = flow.listed()
    for name in ("run_x", "end_e30", "tags_bnVsbA", "what_e30", "run_"):
        flow.objects.put(f"{layout.catalog(FLOW)}1/{name}", b"")
    flow.objects.put(f"{layout.catalog(FLOW)}gone/run_WzEuMF0", b"")
    assert FlowStore(flow.objects, FLOW).listed() == known


def test_tags_too_many_for_a_name_are_read(flow: FlowStore) -> None:
    some_runs(flow)
    many = tuple(sorted(f"tag-{n}" for n in range(200)))
    flow.set_tags("1", many)
    assert flow.listed()[-1].tags == many
    flow.set_tags("1", ["few"])
    assert flow.listed()[-1].tags == ("few",)


def test_a_run_that_was_given_up_is_not_listed(flow: FlowStore) -> None:
    run = flow.claim(manifest()).run
    flow.release(run)
    assert flow.listed() == []
    assert not list(flow.objects.list(layout.catalog(FLOW)))


def test_many_ended_runs_take_as_many_requests_as_one(flow: FlowStore) -> None:
    counts = []
    for wanted in (1, 30):
        for number in range(wanted):
            run = flow.claim(manifest(), f"k8s-{wanted}-{number}").run
            flow.finish(run, RunEnd(True, 1.0))
        asked: list[int] = []
        store = TurnStore(flow.objects, Ages(flow.objects), lambda asked=asked: asked.append(1))  # type: ignore[misc]
        FlowStore(store, FLOW).listed()
        counts.append(len(asked))
    assert counts == [2, 2]
