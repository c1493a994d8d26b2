"""Which task `spin` means, and what counts of its step's decorators."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from reflow.cli.spinning import decorated, named
from reflow.graph.build import from_text
from reflow.launch.spinning import ancestors, check_alone
from reflow.values.errors import FlowError, UsageError

FLOW = """
from reflow import FlowSpec, step, retry, timeout, parallel, project

@project(name="p")
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.loop, self.gang)
    @retry
    @timeout(seconds=5)
    @step
    def loop(self):
        self.next({"again": self.loop, "on": self.join}, condition="what")
    @step
    def gang(self):
        self.next(self.worker, num_parallel=2)
    @parallel
    @step
    def worker(self):
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
GRAPH = from_text(FLOW, "f.py").graph
TARGET: Any = SimpleNamespace(flow="F", has_step=GRAPH.steps.__contains__)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("train", (None, "train", None)),
        ("3/train", ("3", "train", None)),
        ("worker/1", (None, "worker", "1")),
        ("3/train/17", ("3", "train", "17")),
        ("F/3/train", ("3", "train", None)),
        ("F/3/train/17-2.0", ("3", "train", "17-2.0")),
    ],
)
def test_a_task_is_named_as_far_as_is_needed(text: str, parts: tuple[str | None, str, str | None]) -> None:
    assert named(text, TARGET) == parts


@pytest.mark.parametrize("text", ["", "/", "3//1", "G/3/train/1", "F/3/train/1/x"])
def test_what_names_no_task_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="isn't of the form STEP, RUN/STEP or RUN/STEP/TASK"):
        named(text, TARGET)


def test_one_attempt_knows_no_retry_and_skips_all_where_asked() -> None:
    kept = decorated(GRAPH, "loop", skipped=False)
    assert [one.name for one in kept.steps["loop"].decorators] == ["timeout"]
    assert [one.name for one in kept.decorators] == ["project"]
    bare = decorated(GRAPH, "loop", skipped=True)
    assert bare.steps["loop"].decorators == bare.decorators == ()


def test_a_step_of_a_loop_comes_after_itself() -> None:
    assert ancestors(GRAPH, "loop") == {"start", "loop"}
    assert ancestors(GRAPH, "start") == set()


def test_a_task_of_a_gang_is_not_run_alone() -> None:
    with pytest.raises(FlowError, match="Step worker is @parallel"):
        check_alone(GRAPH, "worker")
    check_alone(GRAPH, "close")
