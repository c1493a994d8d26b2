"""`show` and `output-dot`: a graph told to people."""

from __future__ import annotations

from reflow.cli.drawing import dot
from reflow.cli.showing import in_order, written
from reflow.graph.types import Decorator, Graph, Kind, Step

LOOPING = Graph(
    "F",
    {
        "end": Step("end", Kind.END),
        "work": Step(
            "work", Kind.SWITCH, ("work", "end"), condition="done", cases=(("no", "work"), ("yes", "end")),
            loop_scope=("work",),
        ),
        "start": Step("start", Kind.LINEAR, ("work",)),
    },
)  # fmt: skip


def test_steps_are_told_in_the_order_in_which_they_run_whatever_the_source_s() -> None:
    assert [step.name for step in in_order(LOOPING)] == ["start", "work", "end"]


def test_a_decorator_is_told_as_it_was_written() -> None:
    assert written(Decorator("retry", {"times": 3})) == "@retry(times=3)"
    assert written(Decorator("card")) == "@card"


def test_a_switch_s_ways_are_named_by_their_values() -> None:
    assert '    "work" -> "end" [label="done = yes"];' in list(dot(LOOPING))


def test_a_quote_in_a_case_is_escaped() -> None:
    graph = Graph("F", {"start": Step("start", Kind.SWITCH, ("end",), condition="x", cases=(('"', "end"),))})
    assert '    "start" -> "end" [label="x = \\""];' in list(dot(graph))
