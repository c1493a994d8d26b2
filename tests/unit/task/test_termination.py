"""The message that a Pod leaves."""

from __future__ import annotations

import json
from dataclasses import replace

from reflow.store.values import ArtifactRef, ExceptionInfo, Record, Status
from reflow.task import termination
from reflow.values.key import TaskKey

RECORD = Record(TaskKey("s"), 2, 3, "nonce", Status.SUCCEEDED, 0.0, 1.0, width=4, case="left")


def test_it_says_what_the_scheduler_needs_and_no_value() -> None:
    record = replace(RECORD, artifacts={"secret": ArtifactRef("0" * 64, 4, "str", b"hush")})
    assert termination.of_record(record) == {
        "v": 1,
        "status": "succeeded",
        "attempt": 2,
        "width": 4,
        "case": "left",
    }


def test_a_failure_says_its_first_line_and_whether_it_is_final() -> None:
    told = ExceptionInfo("ValueError", "one\ntwo", "…")
    record = replace(RECORD, status=Status.FAILED, exception=told, final=True, width=None, case=None)
    found = termination.of_record(record)
    assert found == {"v": 1, "status": "failed", "attempt": 2, "error": "ValueError: one", "final": True}
    assert termination.of_record(record, unloadable=True)["status"] == "unloadable"


def test_it_is_never_longer_than_its_limit() -> None:
    for text in ("x" * 100_000, "é" * 100_000, "\U0001f600" * 100_000, '"' * 100_000):
        data = termination.encode(termination.of_loss(text, 0))
        assert data is not None
        assert len(data) <= termination.LIMIT
        assert json.loads(data)["error"].endswith("…")


def test_where_what_matters_does_not_fit_nothing_is_written() -> None:
    assert termination.encode({"v": 1, "status": "succeeded", "case": "x" * 3000}) is None
