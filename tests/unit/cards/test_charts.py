"""Charts: where marks are, and what is said of those that aren't drawn."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reflow.cards.charts.draw import figure
from reflow.cards.charts.scales import Band, Linear, Log, Time, number_text
from tests.integration.cards.reading import read

ROWS = [{"a": "x", "b": 10, "c": "u"}, {"a": "x", "b": 30, "c": "v"}, {"a": "y", "b": 20, "c": "u"}]


def spec(mark: Any, rows: Any = ROWS, **encoding: Any) -> dict[str, Any]:
    channels = {
        name: dict(zip(("field", "type"), one, strict=True)) if isinstance(one, tuple) else one
        for name, one in encoding.items()
    }
    return {"mark": mark, "data": {"values": rows}, "width": 100, "height": 100, "encoding": channels}


def numbers(svg: str, tag: str, *names: str) -> list[tuple[float, ...]]:
    """These attributes of all elements of one sort."""
    found = re.findall(rf"<{tag} [^>]*>", svg)
    return [tuple(float(re.findall(rf' {name}="([-.\d]+)"', one)[0]) for name in names) for one in found]


def test_a_bar_is_as_high_as_its_value() -> None:
    svg = figure(spec("bar", ROWS[1:], x=("a", "nominal"), y=("b", "quantitative")))
    assert numbers(svg, "rect", "x", "y", "width", "height") == [(4, 0, 42, 100), (54, 33.3, 42, 66.7)]
    assert "<title>a: x; b: 30</title>" in svg


def test_bars_of_several_colours_are_put_on_each_other() -> None:
    svg = figure(spec("bar", x=("a", "nominal"), y=("b", "quantitative"), color=("c", "nominal")))
    bars = numbers(svg, "rect", "y", "height")[:3]
    assert bars == [(75, 25), (50, 50), (0, 75)]  # u of x, u of y, then v of x on top of u
    assert read(svg).text.count("u") > 1


def test_lying_bars_grow_to_the_right_and_negative_ones_to_the_left() -> None:
    rows = [{"a": "x", "b": -10}, {"a": "y", "b": 10}]
    svg = figure(spec("bar", rows, y=("a", "nominal"), x=("b", "quantitative")))
    assert numbers(svg, "rect", "x", "width") == [(0, 50), (50, 50)]


def test_values_are_aggregated_and_binned() -> None:
    mean = figure(spec("bar", x=("a", "nominal"), y={"aggregate": "mean", "field": "b"}))
    assert [height for (height,) in numbers(mean, "rect", "height")] == [100, 100]
    assert "Mean of b" in mean
    rows = [{"v": n / 10} for n in range(100)]
    counted = figure(spec("bar", rows, x={"field": "v", "bin": {"maxbins": 5}}, y={"aggregate": "count"}))
    assert [height for (height,) in numbers(counted, "rect", "height")] == [100] * 5
    assert "Count of records" in counted


def test_a_line_is_drawn_for_each_colour_from_left_to_right() -> None:
    rows = [{"t": f"2024-01-0{d}", "v": d, "c": c} for d in (3, 1, 2) for c in "uv"]
    svg = figure(spec("line", rows, x=("t", "temporal"), y=("v", "quantitative"), color=("c", "nominal")))
    lines = re.findall(r'points="([^"]*)"', svg)
    assert lines == ["0.0,66.7 50.0,33.3 100.0,0.0"] * 2
    assert "Jan 01 00:00" in svg


def test_an_arc_s_parts_make_the_whole_circle() -> None:
    svg = figure(spec("arc", theta=("b", "quantitative"), color=("c", "nominal")))
    assert svg.count("<path") == 3
    alone = figure(spec("arc", ROWS[:1], theta=("b", "quantitative")))
    assert "NaN" not in alone
    assert alone.count("<path") == 1


@pytest.mark.parametrize(
    "mark", ["area", "circle", "point", "rect", "rule", "square", "text", "tick", "trail"]
)
def test_other_marks_are_drawn_too(mark: str) -> None:
    ordinal = {"field": "b", "type": "ordinal"} if mark == "rect" else ("b", "quantitative")
    svg = figure(
        spec({"type": mark, "text": "t"}, x=("b", "ordinal"), y=ordinal, color=("b", "quantitative"))
    )
    assert "<svg" in svg, svg


def test_layers_share_their_axes_and_charts_beside_each_other_do_not() -> None:
    rule = {"mark": "rule", "encoding": {"y": {"datum": 60}}}
    bars = spec("bar", x=("a", "nominal"), y=("b", "quantitative"))
    svg = figure({"data": bars["data"], "layer": [bars, rule], "width": 100, "height": 100})
    assert re.findall(r'<line x1="([\d.]+)"[^>]* x2="([\d.]+)"', svg)[-1] == ("0.0", "100.0")
    assert figure({"hconcat": [bars, bars]}).count("<svg") == 2


def test_named_data_sets_are_found_as_altair_writes_them() -> None:
    made = spec("bar", x=("a", "nominal"), y=("b", "quantitative"))
    made.update(data={"name": "data-1"}, datasets={"data-1": ROWS})
    assert "<rect" in figure(made)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mark": "geoshape"}, "its mark is &#39;geoshape&#39;"),
        ({"mark": None}, "it has no mark"),
        (
            {"data": {"url": "https://far.example/x.json"}},
            "there are no data in it (data by an address isn&#39;t fetched)",
        ),
        ({"transform": [{"filter": "true"}]}, "it transforms its data"),
        ({"repeat": {"row": ["a"]}}, "it has &#39;repeat&#39;"),
        ({"encoding": {"latitude": {"field": "b"}}}, "it has a channel &#39;latitude&#39;"),
        ({"encoding": {"x": 5}}, "its specification isn&#39;t understood"),
        ({"data": 5}, "its specification isn&#39;t understood"),
    ],
)
def test_what_is_not_drawn_says_why(changes: dict[str, Any], reason: str) -> None:
    made = {**spec("bar", x=("a", "nominal"), y=("b", "quantitative")), **changes}
    assert f"This chart isn&#39;t drawn here: {reason}" in figure(made)


def test_values_that_are_missing_or_no_numbers_are_left_out() -> None:
    rows = [{"x": 1, "y": 1}, {"x": None, "y": 2}, {"x": "no", "y": 3}, {"x": float("nan"), "y": 4}, {"y": 5}]
    assert figure(spec("point", rows, x=("x", "quantitative"), y=("y", "quantitative"))).count("<circle") == 1


def test_nothing_of_a_specification_becomes_markup() -> None:
    harm = '"><script>alert(1)</script><image href="https://far.example"/>'
    made = spec(
        {"type": "bar", "color": f"url({harm})"},
        [{harm: harm, "b": 1}],
        x={"field": harm, "type": "nominal", "title": harm},
        y=("b", "quantitative"),
        color={"field": harm, "type": "nominal", "scale": {"range": [harm]}},
    )
    found = read(figure({**made, "title": harm}))
    assert not {"script", "image"} & set(found.tags)
    assert not found.fetched
    assert "url(" not in re.sub(
        r"<title>.*?</title>", "", figure(spec({"type": "bar", "color": "url(#x)"}, x=("a", "nominal")))
    )


def test_ticks_are_round_and_within_the_axis() -> None:
    assert [text for _, text in Linear(0, 94, 0, 100).ticks()] == ["0", "20", "40", "60", "80", "100"]
    assert [text for _, text in Log(1, 900, 0, 100).ticks()] == ["1", "10", "100", "1,000"]
    assert [text for _, text in Time(0, 86400, 0, 100).ticks()] == [
        "00:00",
        "06:00",
        "12:00",
        "18:00",
        "00:00",
    ]
    years = Time(0, 40 * 365.25 * 86400, 0, 100).ticks()
    assert [text for _, text in years] == ["1970", "1980", "1990", "2000", "2010"]
    assert Band(["a", "b"], 0, 100).ticks() == [(25, "a"), (75, "b")]


@pytest.mark.parametrize(("low", "high"), [(5, 5), (0, 0), (-3, -1), (1e-12, 2e-12), (-1e300, 1e300)])
def test_any_amounts_have_an_axis(low: float, high: float) -> None:
    scale = Linear(low, high, 0, 100)
    places = [place for place, _ in scale.ticks()]
    assert 2 <= len(places) <= 12
    assert all(-0.01 <= place <= 100.01 for place in places)
    assert -0.01 <= scale.at(low) <= scale.at(high) <= 100.01


def test_numbers_are_written_for_people() -> None:
    assert [number_text(n) for n in (0, 1500.0, 0.12345, 1e-9, 2.5e15)] == [
        "0",
        "1,500",
        "0.12345",
        "1e-09",
        "2.5e+15",
    ]
    assert [number_text(n) for n in (-0.0, 0.1 + 0.2, 1 / 3, 1000001.2, 12345678901, float("inf"))] == [
        "0",
        "0.3",
        "0.3333333333",
        "1,000,001.2",
        "12,345,678,901",
        "inf",
    ]


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (1234, 1235, ["1,234", "1,234.2", "1,234.4", "1,234.6", "1,234.8", "1,235"]),
        (0, 0.5, ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]),
        (1e9, 1e9 + 0.2, [f"1,000,000,000{part}" for part in ("", ".05", ".1", ".15", ".2")]),
        (-3e-7, 0, ["-3e-07", "-2.5e-07", "-2e-07", "-1.5e-07", "-1e-07", "-5e-08", "0"]),
        (1e13, 1.0002e13, ["1e+13", "1.00005e+13", "1.0001e+13", "1.00015e+13", "1.0002e+13"]),
        (1e-14, 4e-14, ["1e-14", "1.5e-14", "2e-14", "2.5e-14", "3e-14", "3.5e-14", "4e-14"]),
    ],
)
def test_ticks_next_to_each_other_read_differently(low: float, high: float, texts: list[str]) -> None:
    assert [text for _, text in Linear(low, high, 0, 100).ticks()] == texts


def test_a_tooltip_and_a_legend_tell_close_amounts_apart() -> None:
    rows = [{"a": 12345.1, "b": 1000001.2}, {"a": 12345.9, "b": 1000001.9}]
    svg = figure(spec("point", rows, x=("a", "quantitative"), color=("b", "quantitative")))
    titles = re.findall("<title>(.*?)</title>", svg)
    assert titles == ["a: 12,345.1; b: 1,000,001.2", "a: 12,345.9; b: 1,000,001.9"]
    legend = read(svg).text.partition("1,000,001.9")[2]
    assert [part in legend for part in ("1,000,001.72", "1,000,001.55", "1,000,001.38")] == [True] * 3
