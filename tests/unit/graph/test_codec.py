"""A graph's JSON."""

from __future__ import annotations

import json

import pytest

from reflow.graph.build import from_text
from reflow.graph.codec import graph_from_json, graph_to_json
from tests.unit.graph.test_classes import INHERITED
from tests.unit.graph.test_lint import SOUND
from tests.unit.graph.writing import write


@pytest.mark.parametrize("text", [*(write(*lines) for lines in SOUND), INHERITED])
def test_a_graph_survives_its_json(text: str) -> None:
    graph = from_text(text, "flow.py").graph
    assert graph_from_json(json.loads(json.dumps(graph_to_json(graph)))) == graph


def test_what_a_newer_version_adds_is_ignored() -> None:
    graph = from_text(write("start -> end"), "flow.py").graph
    data = graph_to_json(graph)
    data["later"] = 1
    data["steps"][0]["later"] = {}
    assert graph_from_json(data) == graph
