"""What gc deletes and what it leaves, on every backend. See test_gc_turns.py for those who write at the same time."""

from __future__ import annotations

from typing import Any

import pytest

from reflow.store import gc, layout, sweeps
from reflow.store.flowstore import FlowStore
from reflow.store.gc import Amount, Garbage
from reflow.store.gc_runs import Wish
from reflow.store.objects import ObjectStore
from reflow.store.values import CodeRef, RunEnd, Status
from reflow.values.errors import CorruptObject, NotFound
from reflow.values.key import TaskKey
from tests.contract.store.conftest import Place
from tests.contract.store.samples import FLOW, START, failed, manifest, record, resumed, train
from tests.contract.store.turns import Ages, TurnStore

DAY = 24 * 3600.0
NOTHING = Wish()


class Old:
    """A store whose objects look eight days old from when `pass_time` was called."""

    def __init__(self, place: Place) -> None:
        self.objects: ObjectStore = place.open()
        self.flow = FlowStore(self.objects, FLOW)

    def pass_time(self) -> None:
        self.objects = TurnStore(place_of(self.objects), Ages(self.objects), lambda: None)
        self.flow = FlowStore(self.objects, FLOW)

    def run(self, *values: Any, ended: float = 1.0, **fields: Any) -> str:
        """A run that failed, whose start has kept these values in blobs."""
        run = self.flow.claim(manifest(**fields)).run
        artifacts = {f"v{n}": self.flow.dump(value, budget=0) for n, value in enumerate(values)}
        self.flow.commit(run, record(START, artifacts=artifacts))
        self.flow.finish(run, RunEnd(False, ended, "train", "train/0"))
        return run

    def survey(self, wish: Wish = NOTHING) -> Garbage:
        return gc.survey(self.objects, FLOW, wish)

    def collect(self, wish: Wish = NOTHING) -> Garbage:
        return gc.collect(self.objects, FLOW, wish)

    def blobs(self) -> int:
        return len(list(self.objects.list(layout.blobs(FLOW))))

    def runs(self) -> set[str]:
        return set(self.flow.runs())

    def loads(self, run: str, value: Any) -> bool:
        found = self.flow.result(run, START)
        assert found
        return bool(self.flow.load(self.flow.table(run, found)["v0"], name="v0") == value)


def place_of(objects: ObjectStore) -> ObjectStore:
    """The real store below."""
    return objects._inner if isinstance(objects, TurnStore) else objects


@pytest.fixture
def old(place: Place) -> Old:
    return Old(place)


def test_without_a_wish_no_run_goes_and_what_runs_need_stays(old: Old) -> None:
    run = old.run("needed", "too")
    old.pass_time()
    found = old.collect()
    assert (found.total, found.live.objects) == (Amount(), 2)
    assert old.loads(run, "needed")


def test_a_run_that_is_named_goes_with_the_values_that_only_it_had(old: Old) -> None:
    first, second = old.run("its own", "of both"), old.run("of both")
    old.pass_time()
    found = old.collect(Wish(runs=frozenset({first})))
    assert [one.run for one in found.runs] == [first]
    assert found.contents.objects == 1
    assert old.runs() == {second}
    assert old.loads(second, "of both")
    assert not list(old.objects.list(layout.run(FLOW, first).root))
    assert {run.run for run in old.flow.listed()} == {second}


def test_a_survey_says_what_would_go_and_changes_nothing(old: Old) -> None:
    first = old.run("its own")
    old.run("another")
    old.pass_time()
    before = {info.key for info in old.objects.list("")}
    wish = Wish(runs=frozenset({first}))
    told = old.survey(wish)
    assert {info.key for info in old.objects.list("")} == before
    assert told == old.collect(wish)


def test_what_is_younger_than_a_week_is_left_and_told(old: Old) -> None:
    run = old.run("young")
    found = old.collect(Wish(runs=frozenset({run})))
    assert (found.contents.objects, found.young.objects) == (0, 1)
    assert old.blobs() == 1
    old.pass_time()
    assert old.collect().contents.objects == 1
    assert old.blobs() == 0


def test_the_newest_are_kept_or_those_of_the_last_days_or_both(old: Old) -> None:
    now = old.objects.now()
    for age in (50, 40, 30, 20, 10):
        old.run(created=now - age * DAY, ended=now - age * DAY)
    assert {one.run for one in old.survey(Wish(keep=2)).runs} == {"1", "2", "3"}
    assert {one.run for one in old.survey(Wish(newer_than=25 * DAY)).runs} == {"1", "2", "3"}
    assert {one.run for one in old.survey(Wish(keep=1, newer_than=35 * DAY)).runs} == {"1", "2"}
    assert {one.run for one in old.survey(Wish(keep=3, newer_than=15 * DAY)).runs} == {"1", "2"}
    old.collect(Wish(keep=0))
    assert old.runs() == set()


def test_a_run_that_another_has_cloned_from_stays_with_all_it_has(old: Old) -> None:
    origin = old.run("cloned")
    clone = old.flow.claim(resumed(origin, {origin: (START,)})).run
    old.flow.finish(clone, RunEnd(True, 2.0))
    again = old.flow.claim(resumed(clone, {origin: (START,)})).run
    old.flow.finish(again, RunEnd(True, 3.0))
    old.pass_time()
    found = old.collect(Wish(keep=1))
    assert found.kept.keys() == {origin, clone}
    assert old.loads(again, "cloned")
    assert not old.collect(Wish(runs=frozenset({origin, clone, again}))).kept
    assert (old.runs(), old.blobs()) == (set(), 0)


def test_a_run_that_is_alive_stays(old: Old) -> None:
    run = old.flow.claim(manifest()).run
    old.pass_time()
    old.flow.renew(run, "me")
    assert old.collect(Wish(runs=frozenset({run}))).kept == {run: "it is still running"}


def test_a_run_that_was_just_claimed_stays_though_it_has_not_said_that_it_is_alive(old: Old) -> None:
    run = old.flow.claim(manifest()).run
    assert old.collect(Wish(keep=0)).kept == {run: "it is still running"}


def test_a_run_whose_scheduler_died_goes_when_it_is_named_or_a_week_has_passed(old: Old) -> None:
    old.flow.claim(manifest(created=1.0))
    old.run(created=2.0)
    old.pass_time()
    assert {one.run for one in old.survey(Wish(keep=1)).runs} == {"1"}
    assert {one.run for one in old.survey(Wish(runs=frozenset({"1"}))).runs} == {"1"}


def test_items_of_a_foreach_inherited_values_and_those_of_failed_attempts_are_in_use(old: Old) -> None:
    run = old.flow.claim(manifest()).run
    flow = old.flow
    items = flow.dump_items("xs", ["item"] * 3, budget=0, limit=9)
    inherited = {"big": (flow.dump("inherited", budget=0), START)}
    flow.commit(run, record(START, items=items, width=3))
    flow.commit(run, record(train(0), inherited=inherited))
    flow.commit(run, failed(train(1), artifacts={"x": flow.dump("of a failed one", budget=0)}))
    flow.finish(run, RunEnd(False, 1.0))
    old.pass_time()
    assert old.collect().live.objects == 3
    assert old.blobs() == 3


def test_records_in_packs_and_those_that_are_not_are_read_alike(old: Old) -> None:
    run, flow = old.flow.claim(manifest()).run, old.flow
    book = flow.ledger(run)
    for index in range(20):
        made = record(train(index), artifacts={"x": flow.dump(f"value {index}", budget=0)})
        flow.commit(run, made)
        if index < 15:
            book.add(made)
    book.flush()
    flow.finish(run, RunEnd(True, 1.0))
    old.pass_time()
    assert old.collect().live.objects == 20
    assert old.blobs() == 20


def test_code_goes_with_the_last_run_of_it(old: Old) -> None:
    kept, gone = old.flow.put_code(b"kept"), old.flow.put_code(b"gone")
    old.run(code=CodeRef("a.py", kept))
    doomed = old.run(code=CodeRef("a.py", gone))
    old.pass_time()
    old.collect(Wish(runs=frozenset({doomed})))
    assert old.flow.code(kept) == b"kept"
    with pytest.raises(NotFound):
        old.flow.code(gone)


def test_what_a_run_left_that_was_given_up_goes_when_it_is_old(old: Old) -> None:
    late = layout.run(FLOW, "k8s-gone")
    old.objects.put(late.result(START), b"written by a task that came too late")
    old.objects.put(f"{layout.graphs(FLOW)}uid", b"{}")
    assert old.collect().leftovers.objects == 0
    old.pass_time()
    assert old.collect().leftovers.objects == 2
    assert not list(old.objects.list(late.root))


@pytest.mark.parametrize("damage", [b"{", b'{"v":1}', b'{"v":99}'])
def test_a_record_that_cannot_be_read_keeps_all_values(old: Old, damage: bytes) -> None:
    run = old.run("needed")
    old.flow.commit(run, record(train(0)))
    old.objects.put(layout.run(FLOW, run).result(train(0)), damage)
    doomed = old.run("of the doomed one")
    old.pass_time()
    with pytest.raises(Exception, match=f"gc --run {run}"):
        old.collect(Wish(runs=frozenset({doomed})))
    assert old.blobs() == 2
    old.collect(Wish(runs=frozenset({run})))
    assert old.blobs() == 0


def test_a_manifest_that_cannot_be_read_keeps_everything_until_its_run_is_named(old: Old) -> None:
    run, other = old.run("x"), old.run("y")
    old.objects.put(layout.run(FLOW, run).manifest, b"{")
    old.pass_time()
    with pytest.raises(CorruptObject, match=f"--run {run}"):
        old.collect(Wish(keep=0))
    assert old.runs() == {run, other}
    old.collect(Wish(runs=frozenset({run})))
    assert old.runs() == {other}


def test_a_run_that_is_not_there_cannot_be_deleted(old: Old) -> None:
    old.run()
    with pytest.raises(NotFound, match="no run 7"):
        old.collect(Wish(runs=frozenset({"7"})))


def test_gc_that_is_broken_off_anywhere_leaves_a_store_that_works_and_can_be_repeated(old: Old) -> None:
    """Each operation in turn is the last one that gc gets to do."""
    points = 0
    while True:
        stays, goes = old.run("stays"), old.run("goes", "too")
        real = place_of(old.objects)
        left = points
        ages = Ages(real)

        def turn() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

        broken = False
        try:
            gc.collect(TurnStore(real, ages, turn), FLOW, Wish(runs=frozenset({goes})))
        except KeyboardInterrupt:
            broken = True
        old.objects, old.flow = real, FlowStore(real, FLOW)
        assert old.loads(stays, "stays")
        assert old.flow.index(stays)
        if goes in old.runs():
            assert {run.run for run in old.flow.listed()} == {stays, goes}
            old.flow.index(goes)
        again = TurnStore(real, ages, lambda: None)
        gc.collect(again, FLOW, Wish(runs=frozenset({goes} & old.runs())))
        assert (old.runs(), old.blobs()) == ({stays}, 1)
        real.delete([info.key for info in real.list("")])
        if not broken:
            break
        points += 1
    assert points > 20


def test_marks_of_sweeps_go_when_they_are_a_week_old(old: Old) -> None:
    old.collect(Wish(runs=frozenset({old.run("x")})))
    assert list(old.objects.list(layout.sweeps(FLOW)))
    old.pass_time()
    old.collect()
    old.pass_time()
    old.collect()
    assert not list(old.objects.list(layout.sweeps(FLOW)))


def test_a_writer_finds_an_old_blob_and_writes_it_again(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reflow.store.content.MEMORY_LIMIT", 10)
    big = "x" * 1000
    old.flow.dump(big, budget=0)
    old.pass_time()
    assert old.survey().contents.objects == 1
    old.flow.dump(big, budget=0)
    assert (old.survey().contents.objects, old.survey().young.objects) == (0, 1)


def test_a_writer_waits_no_longer_for_a_gc_that_died(old: Old) -> None:
    mark = f"{layout.sweeps(FLOW)}died"
    old.objects.put(mark, sweeps.encode(sweeps.Mark(contents=True)))
    old.pass_time()
    old.flow.dump("x" * 100, budget=0)
    assert old.blobs() == 1


def test_a_flow_without_any_run_has_no_garbage(old: Old) -> None:
    assert old.collect(Wish(keep=0)).total == Amount()


def test_statuses_other_than_success_are_runs_like_any_other(old: Old) -> None:
    run = old.flow.claim(manifest()).run
    old.flow.commit(run, record(TaskKey("end"), Status.CAUGHT))
    old.flow.finish(run, RunEnd(True, 1.0))
    assert [one.state.value for one in old.survey(Wish(keep=0)).runs] == ["succeeded"]
