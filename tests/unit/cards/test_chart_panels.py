"""Charts of several panels."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reflow.cards.charts.draw import figure

ROWS = [
    {"x": n, "y": 10 * n, "r": f"row {n % 2}", "c": str(column)} for n in range(4) for column in (10, 9, 8)
]
POINTS = {
    "mark": "point",
    "data": {"values": ROWS},
    "width": 100,
    "height": 100,
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}


def with_channels(**encoding: str) -> dict[str, Any]:
    given = {name: {"field": field, "type": "nominal"} for name, field in encoding.items()}
    return {**POINTS, "encoding": {**POINTS["encoding"], **given}}  # type: ignore[dict-item]


def panels(svg: str) -> list[tuple[tuple[float, float], str, int]]:
    """Where each stands, what it's called, and how many points it shows."""
    found = []
    for one in re.split(r'<g transform="translate', svg)[1:]:
        place = re.match(r"\(([\d.]+),([\d.]+)\)", one)
        name = re.search(r">([^<>]+)</text>", one)
        if place and one.count("<circle"):
            found.append(((float(place[1]), float(place[2])), name[1] if name else "", one.count("<circle")))
    return found


def test_a_column_has_a_panel_for_each_value_and_all_share_their_scales() -> None:
    svg = figure(with_channels(column="c"))
    found = panels(svg)
    assert [(name, count) for _, name, count in found] == [("8", 4), ("9", 4), ("10", 4)]
    assert len({y for (_, y), _, _ in found}) == 1
    assert len(set(re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg))) == 4


def test_rows_and_columns_make_a_grid() -> None:
    found = panels(figure(with_channels(row="r", column="c")))
    assert [name for _, name, _ in found] == [f"row {r} | {c}" for r in (0, 1) for c in (8, 9, 10)]
    assert len({x for (x, _), _, _ in found}) == 3
    assert len({y for (_, y), _, _ in found}) == 2
    assert {count for _, _, count in found} == {2}


@pytest.mark.parametrize(
    "facet", [{"field": "c", "type": "nominal"}, {"row": {"field": "c", "type": "nominal"}}]
)
def test_a_facet_around_a_plot_is_the_same(facet: dict[str, Any]) -> None:
    inner = {name: POINTS[name] for name in ("mark", "encoding", "width", "height")}
    svg = figure({"data": POINTS["data"], "facet": facet, "spec": inner})
    assert sorted(name for _, name, _ in panels(svg)) == ["10", "8", "9"]


def test_bars_are_stacked_in_each_panel_alone() -> None:
    spec = with_channels(column="c", color="r", x="r")
    svg = figure({**spec, "mark": "bar"})
    highest = max(float(one) for one in re.findall(r'height="([\d.]+)" fill="#', svg))
    assert highest == 75  # 30 on 10, of an axis up to 40: not the three panels' on each other
    assert ">40</text>" in svg
    assert ">60</text>" not in svg


def test_very_many_panels_are_said() -> None:
    rows = [{"x": n, "y": n, "c": f"c{n}"} for n in range(65)]
    assert "it has more than 64 panels" in figure({**with_channels(column="c"), "data": {"values": rows}})
