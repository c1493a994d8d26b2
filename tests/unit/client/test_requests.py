"""How many requests the client makes: few, however much there is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reflow.client import Flow, Run, namespaces
from reflow.client import place as places
from reflow.store.flowstore import FlowStore
from reflow.store.folder import FolderStore
from reflow.store.ledger_thread import BackgroundLedger
from reflow.store.values import RunEnd
from tests.contract.store.samples import FLOW, START, manifest, record, train

REQUESTS = ("get", "get_range", "get_into", "open", "stat", "list", "list_folders")


class Counting:
    """A store that counts what is read of it."""

    def __init__(self, store: FolderStore) -> None:
        self._store = store
        self.counts: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name in REQUESTS:
            self.counts[name] += 1
        return found

    @property
    def total(self) -> int:
        return self.counts.total()


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    return Counting(FolderStore(tmp_path))


@pytest.fixture
def flow(store: Counting, monkeypatch: pytest.MonkeyPatch) -> FlowStore:
    """What fills the store; the client reads the same one, with nothing in its memory, as one user of several."""
    monkeypatch.setattr(namespaces, "_Chosen", type("Chosen", (), {"is_chosen": True, "tag": "user:ann"}))
    place = places.Place(store._store.url, store)  # type: ignore[arg-type]
    monkeypatch.setitem(places._open, store._store.url, place)
    return FlowStore(store._store, FLOW)


def test_a_thousand_runs_are_listed_in_a_few_requests(store: Counting, flow: FlowStore) -> None:
    for number in range(1000):
        run = flow.claim(
            manifest(created=float(number), user="ann", tags=("even",) if number % 2 == 0 else ())
        ).run
        flow.finish(run, RunEnd(number % 3 > 0, number + 0.5))
    found = [
        (run.id, run.status, run.created_at, run.user_tags) for run in Flow(FLOW, store=flow.objects.url)
    ]
    assert len(found) == 1000
    assert [status for _, status, *_ in found].count("failed") == 334
    assert found[0][0] == "1000"
    assert len(list(Flow(FLOW, store=flow.objects.url).runs("even"))) == 500
    assert store.total <= 12, store.counts


def test_one_artifact_of_each_of_ten_thousand_tasks_takes_few_requests(
    store: Counting, flow: FlowStore
) -> None:
    width = 10_000
    run = flow.claim(manifest()).run
    flow.commit(run, record(START, width=width))
    with BackgroundLedger(flow.ledger(run)) as ledger:
        for number in range(width):
            mine = {"y": flow.dump(number, budget=99)}
            made = record(train(number), artifacts=mine, base=START, base_depth=1)
            flow.commit(run, made)
            ledger.add(made)
    step = Run(f"{FLOW}/{run}", store=flow.objects.url)["train"]
    assert sum(task.data.y for task in step) == sum(range(width))
    assert store.total <= 150, store.counts
