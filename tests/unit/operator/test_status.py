"""A status: small, and changed only where something changed."""

from __future__ import annotations

import json

from reflow.manifests.types import Phase
from reflow_operator.status import AgainNote, Condition, Counts, Failure, Summary, ended, merge_patch, render


def _summary(true: bool = False, **changes: object) -> Summary:
    conditions = (Condition("Complete", true, "Why", "A sentence."),)
    return Summary(3, Phase.RUNNING, conditions, **changes)  # type: ignore[arg-type]


def test_a_condition_keeps_its_time_until_it_changes() -> None:
    first = render(_summary(), {}, now=1000.0)
    second = render(_summary(), first, now=2000.0)
    third = render(_summary(true=True), second, now=3000.0)
    times = [each["conditions"][0]["lastTransitionTime"] for each in (first, second, third)]
    assert times[0] == times[1] == "1970-01-01T00:16:40Z"
    assert times[2] == "1970-01-01T00:50:00Z"


def test_nothing_is_written_where_nothing_changed() -> None:
    old = render(_summary(run_id="k8s-x", steps={"a": Counts(2, 1, 1)}), {}, 1000.0)
    assert (
        merge_patch(old, render(_summary(run_id="k8s-x", steps={"a": Counts(2, 1, 1)}), old, 9000.0)) is None
    )


def test_only_what_changed_is_written_and_what_is_gone_is_removed() -> None:
    old = {"phase": "Running", "counts": {"total": 1, "running": 1}, "failure": {"step": "b"}}
    new = {"phase": "Running", "counts": {"total": 2, "running": 1}}
    assert merge_patch(old, new) == {"counts": {"total": 2}, "failure": None}


def test_progress_counts_what_ran_and_what_was_cloned() -> None:
    steps = {"a": Counts(total=3, succeeded=1, running=2), "b": Counts(total=2, cloned=2), "c": Counts()}
    status = render(_summary(run_id="k8s-x", steps=steps), {}, 0.0)
    assert status["progress"] == "3/5"
    assert status["counts"] == {"total": 5, "running": 2, "succeeded": 1, "failed": 0, "cloned": 2}
    assert [step["name"] for step in status["steps"]] == ["a", "b"]


def test_a_status_stays_under_50_kilobytes() -> None:
    summary = Summary(
        3,
        Phase.FAILED,
        tuple(Condition(f"C{number}", True, "R" * 100, "m" * 5000) for number in range(5)),
        run_id="k8s-" + "x" * 250,
        steps={
            f"step_with_a_rather_long_name_{number}": Counts(9999, 9999, 9999, 9999, 9999)
            for number in range(2000)
        },
        failure=Failure("s", "17", "m" * 5000),
        again=[AgainNote(f"step_{number}", 5, "r" * 600) for number in range(500)],
    )
    assert len(json.dumps(render(summary, {}, 0.0))) < 50_000


def test_a_run_is_over_when_complete_or_failed_is_true() -> None:
    assert not ended(render(_summary(), {}, 0.0))
    assert ended(render(_summary(true=True), {}, 0.0))
