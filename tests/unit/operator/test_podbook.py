"""What changed of a run's Pods since it was last looked at."""

from __future__ import annotations

from dataclasses import replace

from reflow.values.key import TaskKey
from reflow_operator.podbook import PodBook
from reflow_operator.podview import PodView

RUNNING = PodView(
    namespace="team",
    name="p",
    uid="u",
    version=5,
    run="debug-1",
    run_uid="run",
    key=TaskKey("start"),
    phase="Running",
)
ENDED = replace(RUNNING, version=9, phase="Succeeded", exit_code=0)


def followed() -> PodBook:
    book = PodBook(lambda _: None)
    book.take(RUNNING, gone=False)
    book.follow("run")
    return book


def test_a_pod_that_ended_while_the_store_was_read_is_not_taken_back_by_the_view_from_before() -> None:
    book = followed()
    book.take(ENDED, gone=False)
    book.touch(RUNNING)
    assert [change.pod for change in book.changes("run")] == [ENDED]


def test_a_pod_that_is_gone_stays_gone_whatever_was_read_before() -> None:
    book = followed()
    book.take(ENDED, gone=True)
    book.touch(RUNNING)
    assert [change.gone for change in book.changes("run")] == [True]


def test_a_look_at_a_pod_without_news_counts_as_a_change() -> None:
    book = followed()
    book.touch(RUNNING)
    assert [change.pod for change in book.changes("run")] == [RUNNING]
    assert not book.changes("run")
