"""gc between any two operations of a run and of a resume, and those between any two of gc's: nothing live is ever lost.

The world is eight days old: run 1 is the origin, and run 2 holds values that a new run makes again. gc is asked to
delete both. It must leave what the others need by then, and a resume that comes too late must say so, without a run id.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import Any

import pytest

from reflow.launch.holding import hold
from reflow.launch.resuming import plan_resume
from reflow.store import content, gc
from reflow.store.flowstore import FlowStore
from reflow.store.folder import FolderStore
from reflow.store.gc_runs import Wish
from reflow.store.objects import ObjectStore
from reflow.store.values import CodeRef, Manifest, Origin, RunEnd, Status
from reflow.values.errors import NotFound
from reflow.values.key import TaskKey
from tests.contract.store.conftest import Place
from tests.contract.store.samples import FLOW, GRAPH, START, manifest, record, train
from tests.contract.store.turns import TO_THE_END, Segment, play

JOIN, END = TaskKey("join"), TaskKey("end")
MEMORY = 64  # bytes: what is bigger goes through a file
VALUES: dict[str, Any] = {"small": "x" * 10, "big": "y" * 500}
CODE = b"the code"
DELETE_BOTH = Wish(runs=frozenset({"1", "2"}))


def finish_task(flow: FlowStore, run: str, key: TaskKey, **fields: Any) -> None:
    artifacts = {name: flow.dump(value, budget=0) for name, value in VALUES.items()}
    items = flow.dump_items("parts", ["p" * 100] * 2, budget=0, limit=10) if key == START else None
    log = flow.log_writer(run, key, 0)
    log.write(0.0, "o", b"out" * 2000)
    made = record(key, artifacts=artifacts, items=items, log=log.close(), **fields)
    flow.commit(run, made)


def claimed(flow: FlowStore, **fields: Any) -> Manifest:
    code = CodeRef("train.py", flow.put_code(CODE))
    make = manifest(**fields)
    return flow.claim(lambda run: replace(make(run), code=code))


def old_world(store: ObjectStore) -> None:
    """Two runs that failed in the join: 1, which is resumed, and 2."""
    flow = FlowStore(store, FLOW)
    for run in ("1", "2"):
        assert claimed(flow).run == run
        finish_task(flow, run, START, width=2)
        finish_task(flow, run, train(0))
        finish_task(flow, run, train(1))
        flow.commit(run, record(JOIN, Status.FAILED))
        book = flow.ledger(run)
        for key in (START, train(0)):
            found = flow.result(run, key)
            assert found
            book.add(found)
        book.flush()
        flow.finish(run, RunEnd(False, 1.0, "join", "join/0"))


class Writer:
    """Does a run's or a resume's work, and remembers which run it was."""

    def __init__(self) -> None:
        self.run = ""
        self.refused = ""

    def new_run(self, store: ObjectStore) -> None:
        flow = FlowStore(store, FLOW)
        self.run = claimed(flow).run
        flow.renew(self.run, "me")
        flow.check_claim(self.run)
        finish_task(flow, self.run, START, width=2)
        finish_task(flow, self.run, train(0))
        flow.finish(self.run, RunEnd(False, 1.0, "train", "train/1"))

    def resume(self, store: ObjectStore) -> None:
        flow = FlowStore(store, FLOW)
        try:
            origin = flow.manifest("1")
            plan = plan_resume(flow, origin, GRAPH, None)
            made = claimed(flow, origin=Origin("1"), clones=plan.clones)
            hold(flow, made)
        except NotFound as refused:
            self.refused = str(refused)
            return
        self.run = made.run
        flow.renew(self.run, "me")
        finish_task(flow, self.run, JOIN)
        finish_task(flow, self.run, END)
        flow.finish(self.run, RunEnd(True, 1.0))


def collect(store: ObjectStore) -> None:
    gc.collect(store, FLOW, DELETE_BOTH)


def check(store: ObjectStore, writer: Writer) -> None:
    """All that the new run has, its own and what it cloned, is whole; a refused one left nothing."""
    flow = FlowStore(store, FLOW)
    if writer.refused:
        assert not set(flow.runs()) - {"1", "2"}, writer.refused
        return
    made = flow.manifest(writer.run)
    keys = {entry.key for entry in flow.index(writer.run) if entry.status.finished}
    cloned = {key for keys in made.clones.values() for key in keys}
    assert cloned <= keys
    assert keys >= ({START, train(0)} if made.origin is None else {JOIN, END})
    for key in keys:
        found = flow.result(writer.run, key)
        assert found
        table = flow.table(writer.run, found)
        assert {name: flow.load(table[name], name=name) for name in VALUES} == VALUES
        assert b"".join(frame.data for frame in flow.log(writer.run, found)) == b"out" * 2000
        if found.items:
            assert flow.load_item(found.items, 1) == "p" * 100
    assert made.code.sha256
    assert flow.code(made.code.sha256) == CODE


def at_random(rng: random.Random) -> list[Segment]:
    """Many changes, after short and long whiles."""
    return [(rng.choice(["writer", "gc"]), rng.choice([1, 2, 3, 5, 10, 30])) for _ in range(40)]


class Arena:
    """Plays schedules, each on a world of its own."""

    def __init__(self, place: Place, monkeypatch: pytest.MonkeyPatch, work: str) -> None:
        self._store = place.open()
        self._monkeypatch = monkeypatch
        self._work = work
        monkeypatch.setattr(content, "MEMORY_LIMIT", MEMORY)
        self.refused = 0
        self._step = 1 if isinstance(self._store, FolderStore) else 10  # a server takes longer for each

    def some(self, count: int) -> range:
        """Which of so many points are tried."""
        return range(1, count + 1, self._step)

    def play(self, schedule: list[Segment]) -> dict[str, int]:
        self._store.delete([info.key for info in self._store.list("")])
        old_world(self._store)
        writer = Writer()
        workers = {"writer": getattr(writer, self._work), "gc": collect}
        try:
            taken = play(self._store, workers, schedule, self._monkeypatch)
            check(self._store, writer)
            gc.collect(self._store, FLOW, Wish())
            check(self._store, writer)
        except BaseException as error:
            error.add_note(f"{self._work}, {schedule}")
            raise
        self.refused += bool(writer.refused)
        return taken


@pytest.fixture(params=["new_run", "resume"])
def arena(request: pytest.FixtureRequest, place: Place, monkeypatch: pytest.MonkeyPatch) -> Arena:
    return Arena(place, monkeypatch, request.param)


def test_one_after_the_other(arena: Arena) -> None:
    assert arena.play([("writer", TO_THE_END)])["gc"] > 20
    assert not arena.refused
    arena.play([("gc", TO_THE_END)])
    assert arena.refused == (arena._work == "resume")


@pytest.mark.timeout(600)
def test_a_whole_gc_before_any_operation(arena: Arena) -> None:
    for writer in arena.some(arena.play([])["writer"]):
        arena.play([("writer", writer), ("gc", TO_THE_END)])


@pytest.mark.timeout(600)
def test_the_whole_work_before_any_operation_of_gc(arena: Arena) -> None:
    alone = arena.play([("gc", TO_THE_END)])["gc"]
    for collecting in arena.some(alone):
        arena.play([("gc", collecting), ("writer", TO_THE_END)])


@pytest.mark.timeout(600)
def test_many_changes_at_random(arena: Arena) -> None:
    rng = random.Random(int(os.environ.get("REFLOW_SEED", "7")))
    for _ in arena.some(30):
        arena.play(at_random(rng))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_any_two_changes(arena: Arena) -> None:
    """Each begins, the other comes in between, and the first goes on before the other has ended."""
    counts = arena.play([("gc", TO_THE_END)])
    for writer in arena.some(60):
        for collecting in arena.some(counts["gc"]):
            arena.play([("writer", writer), ("gc", collecting), ("writer", TO_THE_END)])
            arena.play([("gc", collecting), ("writer", writer), ("gc", TO_THE_END)])
