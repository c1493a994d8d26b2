from __future__ import annotations

import pytest

from reflow.store import layout
from reflow.store.layout import RecordName
from reflow.values.errors import NotFound
from reflow.values.key import TaskKey


def test_a_records_name_says_which_task_and_attempt_it_is() -> None:
    run = layout.run("F", "3")
    key = TaskKey("train", (17, 3), (2,))
    assert run.record_name(run.result(key)) == RecordName("train", "17-3.2", None)
    assert run.record_name(run.failure(key, 12)) == RecordName("train", "17-3.2", 12)
    assert run.record_name(f"{run.tasks}train/notes.txt") is None


@pytest.mark.parametrize("run", ["", "last", "..", "../1", "a/b", "-1", "a b", "x" * 300])
def test_no_run_has_an_id_that_would_lead_elsewhere(run: str) -> None:
    with pytest.raises(NotFound):
        layout.run("F", run)


@pytest.mark.parametrize("run", ["1", "k8s-debug-1", "k8s-a.b-c1d2e"])
def test_counted_and_named_runs_have_folders_of_their_own(run: str) -> None:
    assert layout.run("F", run).manifest == f"F/runs/{run}/manifest"
