"""The flows that are measured are flows, whatever their size."""

from __future__ import annotations

import pytest

from benchmarks import scripts
from reflow.graph.build import from_text


@pytest.mark.parametrize("steps", [2, 3, 22, 50])
def test_a_chain_has_as_many_steps_as_asked_for(steps: int) -> None:
    assert len(from_text(scripts.chain("reflow", steps), "flow.py").graph.steps) == steps


def test_metaflow_gets_the_same_flow_but_for_the_import() -> None:
    ours, theirs = scripts.fan("reflow", 7), scripts.fan("metaflow", 7)
    assert ours.replace("from reflow", "from metaflow") == theirs


def test_the_resumed_flow_keeps_its_shape_when_it_is_repaired() -> None:
    graphs = [
        from_text(make(7), "flow.py").graph for make in (scripts.failing, scripts.stamping, scripts.mended)
    ]
    assert [list(graph.steps) for graph in graphs] == [["start", "work", "join", "end"]] * 3
