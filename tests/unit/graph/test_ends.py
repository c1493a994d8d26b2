"""Flows that begin and end with steps of other names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reflow.graph.build import from_class, from_text
from reflow.graph.lint import check, require_sound
from reflow.graph.script import read_source
from reflow.graph.types import Kind
from reflow.task.load import load_script

NAMED = """
from reflow import FlowSpec, retry, step

class Named(FlowSpec):
    @step(end=True)
    def finish(self):
        pass

    @retry
    @step(start=True)
    def begin(self):
        self.next(self.left, self.right)

    @step
    def left(self):
        self.next(self.meet)

    @step
    def right(self):
        self.next(self.meet)

    @step
    def meet(self, inputs):
        self.next(self.finish)

if __name__ == "__main__":
    Named()
"""
ALONE = """
from reflow import FlowSpec, step

class Alone(FlowSpec):
    @step
    def only(self):
        pass

if __name__ == "__main__":
    Alone()
"""


@pytest.mark.parametrize(("text", "start", "end"), [(NAMED, "begin", "finish"), (ALONE, "only", "only")])
def test_the_class_and_the_text_agree_on_the_first_step_and_the_last(
    text: str, start: str, end: str, tmp_path: Path
) -> None:
    graph = from_text(text, "flow.py").graph
    assert (graph.start, graph.end, graph.steps[end].kind) == (start, end, Kind.END)
    require_sound(graph)
    (tmp_path / "flow.py").write_text(text)
    loaded = load_script(tmp_path / "flow.py", alias=False)
    assert from_class(loaded.flow_class) == graph


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("@step(start=True)", "@step", "no step 'start'.*@step\\(start=True\\)"),
        ("@step(end=True)", "@step", "no step 'end'"),
        (
            "    @step\n    def left",
            "    @step(start=True)\n    def left",
            "above several steps: begin, left",
        ),
        (
            "def left",
            "def start",
            "'begin' has @step\\(start=True\\), and there is a step called 'start' too",
        ),
        ("def right", "def end", "'finish' has @step\\(end=True\\), and there is a step called 'end' too"),
        ("(self.finish)", "(self.begin)", "'meet' goes to 'begin', with which the flow starts"),
        (
            "        pass\n",
            "        self.next(self.left)\n",
            "'finish' is the last one and can't have a self.next",
        ),
    ],
)
def test_what_is_wrong_with_them_is_told(old: str, new: str, message: str) -> None:
    changed = (
        NAMED.replace(old, new, 1).replace("self.left", "self.start")
        if "def start" in new
        else NAMED.replace(old, new, 1)
    )
    changed = changed.replace("self.right", "self.end") if "def end" in new else changed
    found = check(read_source(changed, "flow.py"))
    assert any(re.search(message, error.reason) for error in found), [str(error) for error in found]
