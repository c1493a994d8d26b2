"""What the moving line of a wide foreach says."""

from __future__ import annotations

from reflow.cli.tally import Tally, clock
from reflow.graph.build import from_text
from reflow.values.key import TaskKey

NESTED = """
from reflow import FlowSpec, step

class Nested(FlowSpec):
    @step
    def start(self):
        self.xs = []
        self.next(self.outer, foreach="xs")
    @step
    def outer(self):
        self.next(self.inner, foreach="xs")
    @step
    def inner(self):
        self.next(self.close)
    @step
    def close(self, inputs):
        self.next(self.join)
    @step
    def join(self, inputs):
        self.next(self.end)
    @step
    def end(self):
        pass
"""


def tally() -> Tally:
    return Tally(from_text(NESTED, "nested.py").graph)


def test_ten_tasks_of_a_step_are_shown_one_by_one_and_eleven_are_not() -> None:
    counts = tally()
    counts.opened("start", 10)
    assert counts.wide("outer") is None
    assert counts.line(0.0, 80) == ""
    counts.opened("start", 1)
    assert counts.wide("outer") is not None
    assert counts.wide("close") is not None
    assert counts.wide("start") is None


def test_many_narrow_foreaches_are_wide_together() -> None:
    counts = tally()
    for _ in range(4):
        counts.opened("outer", 3)
    assert counts.wide("inner") is not None
    assert counts.wide("outer") is None


def test_the_line_counts_what_is_done_running_and_failed_and_the_time_since_the_first() -> None:
    counts = tally()
    counts.opened("start", 1200)
    counts.reused(TaskKey("outer", (n,)) for n in range(1000))
    for n in range(1000, 1004):
        counts.started(TaskKey("outer", (n,)), 5.0 + n - 1000)
    counts.ended(TaskKey("outer", (1000,)), succeeded=True)
    assert counts.line(72.0, 80) == "outer: 1,001 of 1,200 done, 3 running, 1:07"
    counts.ended(TaskKey("outer", (1001,)), succeeded=False)
    counts.killed(TaskKey("outer", (1002,)))
    assert counts.line(72.0, 80) == "outer: 1,001 of 1,200 done, 1 running, 1 failed, 1:07"
    assert counts.line(72.0, 10) == "outer: 1,"


def test_a_step_that_is_complete_has_no_line() -> None:
    counts = tally()
    counts.opened("start", 11)
    for n in range(11):
        counts.started(TaskKey("outer", (n,)), 0.0)
        counts.ended(TaskKey("outer", (n,)), succeeded=True)
    assert counts.line(1.0, 80) == ""
    step = counts.wide("outer")
    assert step is not None
    assert step.is_complete


def test_time_is_told_as_a_clock() -> None:
    assert [clock(7.9), clock(750), clock(3723)] == ["0:07", "12:30", "1:02:03"]
