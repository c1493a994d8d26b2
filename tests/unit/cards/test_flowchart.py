"""The picture of a flow's steps."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from reflow.cards.flowchart import MOST, picture, rows_of

SVG = "{http://www.w3.org/2000/svg}"
BRANCHES = {
    "start": {"type": "split", "next": ["a", "b"], "doc": "Begins <here>."},
    "a": {"type": "linear", "next": ["a2"]},
    "a2": {"type": "linear", "next": ["join"]},
    "b": {"type": "linear", "next": ["join"]},
    "join": {"type": "linear", "next": ["end"]},
    "end": {"type": "end", "next": []},
}
LOOP = {
    "start": {"type": "linear", "next": ["work"]},
    "work": {"type": "linear", "next": ["enough"]},
    "enough": {"type": "switch", "next": ["work", "enough", "end"]},
    "end": {"type": "end", "next": []},
}


def boxes(svg: str) -> dict[str, tuple[float, float, float, float]]:
    """Each step's box: left, top, right, bottom."""
    root = ElementTree.fromstring(svg)
    found, last = {}, None
    for one in root:
        if one.tag == f"{SVG}rect":
            left, top, width, height = (float(one.get(name, "")) for name in ("x", "y", "width", "height"))
            last = (left, top, left + width, top + height)
        elif one.tag == f"{SVG}text" and last:
            found[str(one.text)] = last
    return found


def test_a_step_stands_below_all_that_lead_to_it() -> None:
    assert rows_of(BRANCHES) == {"start": 0, "a": 1, "b": 1, "a2": 2, "join": 3, "end": 4}


def test_a_loop_is_not_followed_for_ever() -> None:
    assert rows_of(LOOP) == {"start": 0, "work": 1, "enough": 2, "end": 3}
    assert rows_of({"a": {"next": ["b"]}, "b": {"next": ["a"]}}) == {"a": 0, "b": 1}


@pytest.mark.parametrize("steps", [BRANCHES, LOOP])
def test_no_two_boxes_touch_and_all_are_within_the_picture(steps: dict[str, dict[str, object]]) -> None:
    svg = picture(steps)
    root = ElementTree.fromstring(svg)
    found = boxes(svg)
    assert sorted(found) == sorted(steps)
    ordered = sorted(found.values(), key=lambda box: (box[1], box[0]))
    for one, other in pairwise(ordered):
        assert one[3] < other[1] or one[2] < other[0], (one, other)
    assert min(box[0] for box in ordered) > 0
    assert max(box[2] for box in ordered) < float(root.get("width", ""))
    assert max(box[3] for box in ordered) <= float(root.get("height", ""))


def test_every_transition_is_drawn_once() -> None:
    told = re.findall(r"<title>(\w+) → (\w+)", picture(LOOP))
    assert sorted(told) == sorted((name, to) for name, about in LOOP.items() for to in about["next"])


def test_a_line_past_a_row_goes_between_the_boxes_there() -> None:
    svg = picture(BRANCHES)
    left, _, right, _ = boxes(svg)["a2"]
    way = next(re.finditer(r'<path d="([^"]+)"[^>]*><title>b → join', svg))[1]
    passed = [float(x) for x in re.findall(r"L([\d.]+) ", way)]
    assert len(passed) == 1
    assert not left <= passed[0] <= right


def test_names_and_docs_are_text() -> None:
    svg = picture({"start": {"type": "end", "next": [], "doc": "</title><script>"}}, "start")
    assert "<script" not in svg
    assert 'class="step here"' in svg


def test_a_flow_of_very_many_steps_is_left_undrawn() -> None:
    steps = {f"s{n}": {"next": [f"s{n + 1}"]} for n in range(MOST + 1)}
    assert picture(steps) == ""
    assert picture({}) == ""
