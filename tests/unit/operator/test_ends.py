"""How a Pod's end is read: what it says itself, and what is made of one that says nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reflow.engine.events import Failed, Lost, Succeeded
from reflow.values.key import TaskKey
from reflow_operator.ends import Unclear, Unloadable, read_end, stuck, without_record
from tests.unit.operator.builders import pod_view

B = TaskKey("b")


def _message(**said: Any) -> str:
    return json.dumps({"v": 1, **said})


def _end(gone: bool = False, now: float = 200.0, **changes: Any) -> Any:
    return read_end(pod_view(**changes), gone=gone, now=now, image_patience=600.0)


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ({"status": "succeeded"}, Succeeded(B)),
        ({"status": "caught"}, Succeeded(B)),
        ({"status": "succeeded", "width": 3}, Succeeded(B, width=3)),
        ({"status": "succeeded", "case": "yes"}, Succeeded(B, case="yes")),
        (
            {"status": "failed", "attempt": 1, "error": "ValueError: no"},
            Failed(B, 1, 2, 150.0, "ValueError: no"),
        ),
        ({"status": "failed", "error": "x", "final": True}, Failed(B, 1, 2, 150.0, "x", final=True)),
        ({"status": "lost", "error": "told to stop"}, Lost(B, 1, 2, "told to stop", 150.0)),
        ({"status": "unloadable", "error": "SyntaxError"}, Unloadable(B, 1, 2, 150.0, "SyntaxError")),
    ],
)
def test_a_pod_says_itself_how_it_ended(said: dict[str, Any], end: object) -> None:
    found = _end(phase="Succeeded", attempt=1, launch=2, finished=150.0, termination=_message(**said))
    assert found == end


def test_a_message_of_a_pod_that_is_gone_still_counts() -> None:
    assert _end(gone=True, phase="Succeeded", termination=_message(status="succeeded")) == Succeeded(B)


def test_a_pod_that_runs_has_not_ended() -> None:
    assert _end() is None
    assert _end(phase="Pending") is None


FAULTS: list[tuple[dict[str, Any], type, str]] = [
    ({"phase": "Failed", "exit_code": 137, "exit_reason": "OOMKilled"}, Failed, "Out of memory"),
    ({"phase": "Failed", "exit_code": 137, "exit_reason": "Error"}, Failed, "signal 9"),
    ({"phase": "Failed", "exit_code": 3, "exit_reason": "Error"}, Failed, "exit code 3"),
    ({"phase": "Failed", "exit_code": 127}, Failed, "python3"),
    ({"phase": "Failed", "exit_code": 128, "exit_reason": "StartError"}, Failed, "can't start"),
    (
        {"phase": "Failed", "reason": "Evicted", "disruption": "TerminationByKubelet"},
        Lost,
        "TerminationByKubelet",
    ),
    (
        {"phase": "Failed", "reason": "Evicted", "message": "storage exceeds the limit"},
        Failed,
        "more than it may",
    ),
    ({"phase": "Failed", "reason": "UnexpectedAdmissionError"}, Lost, "UnexpectedAdmissionError"),
    (
        {"phase": "Failed", "exit_code": 137, "disruption": "PreemptionByScheduler"},
        Lost,
        "PreemptionByScheduler",
    ),
    ({"phase": "Failed", "reason": "DeadlineExceeded"}, Failed, "activeDeadlineSeconds"),
    ({"phase": "Failed", "exit_code": 143, "deletion": 150.0}, Lost, "deleted"),
    ({"phase": "Running", "deletion": 100.0}, Lost, "doesn't answer"),
    ({"phase": "Pending", "waiting": "InvalidImageName"}, Failed, "InvalidImageName"),
    ({"phase": "Pending", "waiting": "ImagePullBackOff", "created": -500.0}, Failed, "ImagePullBackOff"),
    ({"phase": "Failed", "termination": "user's text", "exit_code": 1}, Failed, "exit code 1"),
]


@pytest.mark.parametrize(("pod", "kind", "words"), FAULTS, ids=lambda value: str(value)[:40])
def test_a_pod_that_says_nothing_is_unclear_and_counts_as_its_fault_says(
    pod: dict[str, Any], kind: type, words: str
) -> None:
    found = _end(**pod)
    assert isinstance(found, Unclear)
    end = without_record(found)
    assert isinstance(end, kind)
    assert words in end.message


def test_a_pod_that_vanished_is_the_clusters_fault() -> None:
    found = _end(gone=True)
    assert isinstance(found, Unclear)
    assert isinstance(without_record(found), Lost)


def test_a_user_cannot_make_an_end_up_in_another_format() -> None:
    assert isinstance(_end(phase="Failed", exit_code=1, termination='{"status": "succeeded"}'), Unclear)


def test_a_pod_that_still_exists_is_to_be_deleted_once_it_counts_as_over() -> None:
    assert _end(phase="Pending", waiting="InvalidImageName").alive
    assert not _end(phase="Failed", exit_code=1).alive
    assert not _end(gone=True).alive


def test_what_keeps_a_pod_from_starting_is_told_in_words() -> None:
    assert stuck(pod_view()) is None
    assert "can't be scheduled: 0/1 nodes" in str(
        stuck(pod_view(phase="Pending", unschedulable="0/1 nodes fit"))
    )
    waiting = pod_view(phase="Pending", waiting="ImagePullBackOff", waiting_message="no such image")
    assert "ImagePullBackOff): no such image" in str(stuck(waiting))
