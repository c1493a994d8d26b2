"""Charts whose channels say more than a field: offsets, conditions, several details, other scales."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from reflow.cards.charts.draw import figure

ROWS = [
    {"x": 0, "y": 0, "a": "p", "b": "u", "c": "m"},
    {"x": 4, "y": 100, "a": "p", "b": "v", "c": "m"},
    {"x": 0, "y": 50, "a": "q", "b": "u", "c": "n"},
    {"x": 4, "y": 25, "a": "q", "b": "v", "c": "n"},
]


def channel(field: str, **more: Any) -> dict[str, Any]:
    kind = "quantitative" if field in "xy" else "nominal"
    return {"field": field, "type": kind, **more}


def drawn(mark: str, rows: Any = ROWS, **encoding: Any) -> str:
    size = {"width": 100, "height": 100}
    return figure({"mark": mark, "data": {"values": rows}, **size, "encoding": encoding})


def places(svg: str) -> list[list[tuple[float, float]]]:
    """The points of each line."""
    return [
        [tuple(map(float, pair.split(","))) for pair in line.split()]  # type: ignore[misc]
        for line in re.findall(r'<polyline points="([^"]+)"', svg)
    ]


def test_bars_with_an_offset_stand_beside_each_other_and_are_not_stacked() -> None:
    svg = drawn("bar", x=channel("a"), xOffset=channel("b"), y=channel("y"), color=channel("b"))
    found = [
        tuple(map(float, one))
        for one in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', svg)
    ]
    bars = sorted(found[:4])
    assert [bar[3] for bar in bars] == [0, 100, 50, 25]
    for one, other in pairwise(bars):
        assert one[0] + one[2] <= other[0] + 0.11, bars  # places are rounded to a tenth


def test_what_depends_on_a_selection_is_shown_as_selected() -> None:
    condition = {"param": "brush", **channel("b")}
    svg = drawn("point", x=channel("x"), y=channel("y"), color={"condition": condition, "value": "gray"})
    assert 'fill="gray"' not in svg
    assert len(set(re.findall(r'<circle [^>]*fill="([^"]+)"', svg))) == 2
    empty = {**condition, "empty": False}
    svg = drawn("point", x=channel("x"), y=channel("y"), color={"condition": empty, "value": "gray"})
    assert set(re.findall(r'<circle [^>]*fill="([^"]+)"', svg)) == {"gray"}


def test_what_depends_on_a_test_is_not_drawn_wrongly() -> None:
    color = {"condition": {"test": "datum.y > 10", "value": "red"}, "value": "gray"}
    assert "isn&#39;t drawn here: it depends on a test" in drawn(
        "bar", x=channel("a"), y=channel("y"), color=color
    )


@pytest.mark.parametrize(
    "apart",
    [
        {"detail": [channel("a"), channel("c")]},
        {"strokeDash": channel("a")},
        {"detail": channel("a"), "shape": channel("c")},
    ],
)
def test_details_tell_lines_apart(apart: dict[str, Any]) -> None:
    assert places(drawn("line", x=channel("x"), y=channel("y"), **apart)) == [
        [(0, 100), (100, 0)],
        [(0, 50), (100, 75)],
    ]


def test_an_axis_may_go_the_other_way() -> None:
    for other_way in ({"sort": "descending"}, {"scale": {"reverse": True}}):
        svg = drawn("line", ROWS[:2], x=channel("x"), y=channel("y", **other_way))
        assert places(svg) == [[(0, 0), (100, 100)]]


def test_roots_and_powers_are_amounts_too_and_other_scales_are_said() -> None:
    rows = [{"x": 0, "y": 0}, {"x": 2, "y": 25}, {"x": 4, "y": 100}]
    root = drawn("line", rows, x=channel("x"), y=channel("y", scale={"type": "sqrt"}))
    assert places(root) == [[(0, 100), (50, 50), (100, 0)]]
    square = drawn("line", rows, x=channel("x", scale={"type": "pow", "exponent": 2}), y=channel("y"))
    assert places(square)[0][1] == (25, 75)
    assert "a scale of the type &#39;symlog&#39;" in drawn(
        "line", rows, x=channel("x"), y=channel("y", scale={"type": "symlog"})
    )


@pytest.mark.parametrize(
    ("about", "title", "name"),
    [
        ({}, "b", "b"),
        ({"title": None}, "", "b"),
        ({"title": "Given"}, "Given", "Given"),
        ({"title": ["Two", 2]}, "Two, 2", "Two, 2"),
        ({"axis": None}, "b", "b"),
        ({"axis": {"title": None}}, "", "b"),
        ({"title": "Given", "axis": {"title": None}}, "", "Given"),
        ({"title": None, "axis": {"title": "Axis"}}, "Axis", "Axis"),
    ],
)
def test_an_axis_has_the_title_that_is_wanted_and_a_mark_says_what_it_shows_all_the_same(
    about: dict[str, Any], title: str, name: str
) -> None:
    svg = figure(
        {
            "mark": "bar",
            "data": {"values": [{"a": "x", "b": 3}]},
            "encoding": {"x": channel("a", title=None), "y": {"field": "b", "type": "quantitative", **about}},
        }
    )
    assert re.findall(r'font-weight="600">([^<]*)<', svg) == [title]
    assert re.findall("<title>(.*?)</title>", svg) == [f"a: x; {name}: 3"]


def test_a_legend_may_be_without_a_title_and_a_chart_s_may_be_lines_of_anything() -> None:
    encoding = {"x": channel("a", title=None), "color": channel("c", legend={"title": None})}
    rows = [{"a": "x", "c": "u"}]
    svg = figure({"title": ["Year", 2024], "mark": "point", "data": {"values": rows}, "encoding": encoding})
    assert re.findall(r'font-weight="600">([^<]*)<', svg) == ["Year 2024"]
    assert "<title>a: x; c: u</title>" in svg


def test_names_are_counted_once_each() -> None:
    svg = drawn("bar", [*ROWS, *ROWS], x=channel("a"), y={"aggregate": "distinct", "field": "b"})
    assert svg.count("Distinct of b: 2</title>") == 2
