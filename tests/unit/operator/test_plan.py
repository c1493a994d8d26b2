"""What is done next, decided from what is known."""

from __future__ import annotations

from typing import Any

from reflow.engine.events import Start
from reflow.values.key import TaskKey
from reflow_operator.constants import Reason
from reflow_operator.plan import Course, Standing, Waiting, Wishes, plan


def _starts(*numbers: int, at: float = 0.0) -> list[Start]:
    return [Start(TaskKey("work", (number,)), not_before=at) for number in numbers]


def _standing(waiting: list[Start] = [], running: int = 0, **changes: Any) -> Standing:  # noqa: B006
    queue = Waiting()
    queue.add(waiting)
    return Standing(**{"course": Course.RUNNING, "running": running, "waiting": queue, **changes})


def _wishes(max_workers: int = 100, **changes: Any) -> Wishes:
    return Wishes(max_workers, **changes)


def test_what_waits_is_created_as_far_as_there_is_room() -> None:
    standing = _standing(_starts(0, 1, 2, 3), running=3)
    assert plan(standing, _wishes(5), 0).create == tuple(_starts(0, 1))
    assert len(standing.waiting) == 2


def test_a_wide_foreach_is_created_lot_by_lot() -> None:
    standing = _standing(_starts(*range(10)))
    first = plan(standing, _wishes(8), 0, at_once=5)
    assert (len(first.create), first.more) == (5, True)
    second = plan(_standing(list(standing.waiting.ready), running=5), _wishes(8), 0, at_once=5)
    assert (len(second.create), second.more) == (3, False)


def test_a_retry_waits_for_its_time_and_the_run_is_looked_at_then() -> None:
    standing = _standing(_starts(0, at=50.0))
    early = plan(standing, _wishes(), 20)
    assert (early.create, early.requeue_after) == ((), 30)
    assert plan(standing, _wishes(), 50).create == tuple(_starts(0, at=50.0))


def test_a_full_run_is_not_looked_at_by_the_clock() -> None:
    assert plan(_standing(_starts(0, at=50.0), running=5), _wishes(5), 20).requeue_after is None


def test_what_could_not_be_started_comes_first_next_time() -> None:
    waiting = Waiting()
    waiting.add(_starts(0, 1, 2))
    taken = waiting.take(2, 0)
    waiting.put_back(taken)
    assert waiting.take(3, 0) == tuple(_starts(0, 1, 2))


def test_a_suspended_run_creates_nothing_and_keeps_what_waits() -> None:
    standing = _standing(_starts(0), running=1)
    decided = plan(standing, _wishes(suspend=True), 0)
    assert (decided.create, decided.stop, decided.end) == ((), None, None)
    assert len(standing.waiting) == 1


def test_a_cancelled_run_stops_its_pods_once_and_ends_when_they_are_gone() -> None:
    first = plan(_standing(_starts(0), running=2), _wishes(cancel=True), 10)
    assert (first.stop, first.end, first.create) == (Reason.CANCELLED, None, ())
    again = plan(_standing(running=1, stopping=(Reason.CANCELLED, 10.0)), _wishes(cancel=True), 12)
    assert (again.stop, again.end) == (None, None)
    last = plan(_standing(stopping=(Reason.CANCELLED, 10.0)), _wishes(cancel=True), 14)
    assert last.end == Reason.CANCELLED


def test_pods_on_a_dead_node_are_not_waited_for_for_ever() -> None:
    stopping = _standing(running=1, stopping=(Reason.CANCELLED, 10.0), grace=30.0)
    assert plan(stopping, _wishes(cancel=True), 99).requeue_after == 1
    assert plan(stopping, _wishes(cancel=True), 100).end == Reason.CANCELLED


def test_a_run_past_its_deadline_is_stopped() -> None:
    assert plan(_standing(running=1), _wishes(deadline=60.0), 20).requeue_after == 40
    assert plan(_standing(running=1), _wishes(deadline=60.0), 60).stop == Reason.DEADLINE


def test_a_deleted_run_is_stopped() -> None:
    assert plan(_standing(running=1), _wishes(deleted=True), 0).stop == Reason.DELETED
    assert plan(_standing(), _wishes(deleted=True), 0).end == Reason.DELETED


def test_after_a_failure_nothing_new_starts_and_what_runs_is_let_finish() -> None:
    decided = plan(_standing(_starts(0), running=1, course=Course.FAILED), _wishes(), 0)
    assert (decided.create, decided.stop, decided.end) == ((), None, None)
    assert plan(_standing(_starts(0), course=Course.FAILED), _wishes(), 0).end == Reason.TASK_FAILED


def test_a_run_that_has_succeeded_has_whatever_was_wished_meanwhile() -> None:
    assert plan(_standing(course=Course.SUCCEEDED), _wishes(cancel=True), 0).end == Reason.SUCCEEDED
