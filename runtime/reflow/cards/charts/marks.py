"""The marks of a layer as SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import cos, pi, sin, sqrt
from typing import Any

from reflow.cards.charts.aggregates import Point
from reflow.cards.charts.colors import Colors, safe
from reflow.cards.charts.reading import FACETS, Layer, NotDrawn
from reflow.cards.charts.scales import Scale, number_text
from reflow.cards.parts import escape
from reflow.values.dataclass import dataclass

MOST = 5000  # marks of a layer


@dataclass(frozen=True, slots=True)
class Canvas:
    """What all layers of a chart share. Sizes in pixels."""

    width: float
    height: float
    scales: Mapping[str, Scale]
    colors: Colors


def draw(layer: Layer, canvas: Canvas) -> str:
    """Raises NotDrawn."""
    return "".join(_HOW[layer.how](layer, canvas))


def stacked(layer: Layer) -> tuple[str, Sequence[Point]] | None:
    """Bars and areas that share a place are put on each other: the channel, and the points with `from` and `to`."""
    if layer.how not in ("bar", "area") or "color" not in layer.channels or "x2" in layer.channels:
        return None
    along = amount_channel(layer)
    channel = layer.channels[along]
    if channel.stack in (None, False) or channel.kind != "quantitative" or channel.bins:
        return None
    other = "x" if along == "y" else "y"
    above: dict[tuple[tuple[Any, ...], bool], float] = {}
    made = []
    for point in sorted(layer.points, key=lambda point: str(point.get("color"))):
        key = (_across(point, other), point[along] < 0)
        low = above.get(key, 0.0)
        above[key] = low + point[along]
        made.append({**point, "from": low, "to": above[key]})
    if channel.stack == "normalize":
        for point in made:
            whole = abs(above[_across(point, other), point[along] < 0]) or 1.0
            point["from"], point["to"] = point["from"] / whole, point["to"] / whole
    return along, made


def _across(point: Point, name: str) -> tuple[Any, ...]:
    """What tells apart where bars are stacked."""
    return tuple(point.get(one) for one in (name, f"{name}Offset", *FACETS))


def amount_channel(layer: Layer) -> str:
    """The axis along which bars and areas grow."""
    x, y = layer.channels.get("x"), layer.channels.get("y")
    if y is None or (x is not None and y.is_discrete and not x.is_discrete):
        return "x"
    if x is not None and y.bins and not x.bins:
        return "x"
    return "y"


def _bars(layer: Layer, canvas: Canvas) -> Iterator[str]:
    along = amount_channel(layer)
    other = "x" if along == "y" else "y"
    stack = stacked(layer)
    points = list(stack[1] if stack else layer.points)
    grow = canvas.scales[along]
    room = _bar_room(layer, canvas, other)
    for point in points[:MOST]:
        start, end = _span(point, along, grow)
        low, high = room(point)
        box = (low, start, high, end) if along == "y" else (start, low, end, high)
        yield _rect(*box, _color(layer, canvas, point), _told(layer, point))


def _span(point: Point, along: str, grow: Scale) -> tuple[float, float]:
    if "from" in point:
        return grow.at(point["from"]), grow.at(point["to"])
    if point.get(f"{along}2") is not None:
        return grow.at(point[along]), grow.at(point[f"{along}2"])
    if f"{along}_end" in point:
        return grow.at(point[along]), grow.at(point[f"{along}_end"])
    return grow.at(0), grow.at(point[along])


def _bar_room(layer: Layer, canvas: Canvas, other: str) -> Callable[[Point], tuple[float, float]]:
    """From where to where a bar goes across its direction."""
    if other not in layer.channels:
        middle = (canvas.width if other == "x" else canvas.height) / 2
        return lambda point: (middle - 20, middle + 20)
    scale = canvas.scales[other]
    if scale.band:
        offset = canvas.scales.get(f"{other}Offset") if f"{other}Offset" in layer.channels else None
        half = (offset or scale).band * (0.5 if offset else 0.42)

        def room(point: Point) -> tuple[float, float]:
            middle = _at(canvas, point, other, 0)
            return middle - half, middle + half

        return room
    if layer.channels[other].bins:
        return lambda point: (scale.at(point[other]) + 0.5, scale.at(point[f"{other}_end"]) - 0.5)
    places = sorted({scale.at(point[other]) for point in layer.points})
    gaps = [after - before for before, after in pairwise(places)]
    wide = max(1.0, min([20.0, *gaps]) * 0.8)
    return lambda point: (scale.at(point[other]) - wide / 2, scale.at(point[other]) + wide / 2)


def _lines(layer: Layer, canvas: Canvas) -> Iterator[str]:
    x, y = _both(canvas)
    for group in _groups(layer, layer.points):
        places = " ".join(f"{x.at(p['x']):.1f},{y.at(p['y']):.1f}" for p in _ordered(layer, group))
        color = _color(layer, canvas, group[0])
        yield f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="2"/>'
        if layer.look.get("point"):
            yield from _circles(layer, canvas, group)


def _areas(layer: Layer, canvas: Canvas) -> Iterator[str]:
    x, y = _both(canvas)
    stack = stacked(layer)
    if stack and stack[0] != "y":
        raise NotDrawn("its areas grow to the right")
    for group in _groups(layer, stack[1] if stack else layer.points):
        points = _ordered(layer, group)
        upper = [(x.at(p["x"]), y.at(p.get("to", p["y"]))) for p in points]
        floor = [p["y2"] if p.get("y2") is not None else p.get("from", 0) for p in points]
        lower = [(x.at(p["x"]), y.at(low)) for p, low in zip(points, floor, strict=True)]
        places = " ".join(f"{a:.1f},{b:.1f}" for a, b in [*upper, *reversed(lower)])
        color = _color(layer, canvas, group[0])
        yield f'<polygon points="{places}" fill="{color}" fill-opacity="0.75"/>'


def _points(layer: Layer, canvas: Canvas) -> Iterator[str]:
    yield from _circles(layer, canvas, layer.points[:MOST])


def _circles(layer: Layer, canvas: Canvas, points: Iterable[Point]) -> Iterator[str]:
    sizes = [point["size"] for point in layer.points if point.get("size") is not None]
    largest = max(sizes, default=0) or 1
    for point in points:
        across = _at(canvas, point, "x", canvas.width / 2)
        down = _at(canvas, point, "y", canvas.height / 2)
        size = point.get("size")
        radius = 3.5 if not isinstance(size, int | float) else 2 + 9 * sqrt(max(size, 0) / largest)
        color = _color(layer, canvas, point)
        yield (
            f'<circle cx="{across:.1f}" cy="{down:.1f}" r="{radius:.1f}" fill="{color}" fill-opacity="0.75">'
            f"{_told(layer, point)}</circle>"
        )


def _texts(layer: Layer, canvas: Canvas) -> Iterator[str]:
    anchor = {"left": "start", "right": "end"}.get(str(layer.look.get("align")), "middle")
    right, down = (float(layer.look.get(name) or 0) for name in ("dx", "dy"))
    fixed = layer.channels["text"].value if "text" in layer.channels else layer.look.get("text")
    for point in layer.points[:MOST]:
        value = point.get("text") if fixed is None else fixed
        text = number_text(value) if isinstance(value, int | float) else str("" if value is None else value)
        across = _at(canvas, point, "x", canvas.width / 2) + right
        below = _at(canvas, point, "y", canvas.height / 2) + down + 4
        color = _color(layer, canvas, point, "currentColor")
        yield (
            f'<text x="{across:.1f}" y="{below:.1f}" text-anchor="{anchor}" style="fill:{color}">'
            f"{escape(text)}</text>"
        )


def _ticks(layer: Layer, canvas: Canvas) -> Iterator[str]:
    is_upright = not (layer.channels.get("x") and layer.channels["x"].is_discrete)
    for point in layer.points[:MOST]:
        across = _at(canvas, point, "x", canvas.width / 2)
        down = _at(canvas, point, "y", canvas.height / 2)
        long, short = (1, 8) if is_upright else (8, 1)
        box = (across - long, down - short, across + long, down + short)
        yield _rect(*box, _color(layer, canvas, point), _told(layer, point))


def _rects(layer: Layer, canvas: Canvas) -> Iterator[str]:
    sides = [_side(layer, canvas, name) for name in ("x", "y")]
    for point in layer.points[:MOST]:
        (left, right), (top, bottom) = sides[0](point), sides[1](point)
        yield _rect(left, top, right, bottom, _color(layer, canvas, point), _told(layer, point))


def _side(layer: Layer, canvas: Canvas, name: str) -> Callable[[Point], tuple[float, float]]:
    if name not in layer.channels:
        return lambda point: (0, canvas.width if name == "x" else canvas.height)
    scale = canvas.scales[name]
    if scale.band:
        return lambda point: (
            scale.at(point[name]) - scale.band / 2 + 0.5,
            scale.at(point[name]) + scale.band / 2 - 0.5,
        )
    end = f"{name}_end" if layer.channels[name].bins else f"{name}2"
    return lambda point: (scale.at(point[name]), scale.at(point[end]))


def _rules(layer: Layer, canvas: Canvas) -> Iterator[str]:
    x, y = canvas.scales.get("x"), canvas.scales.get("y")
    for point in layer.points[:MOST]:
        left, right = (x.at(point["x"]),) * 2 if x and "x" in point else (0.0, canvas.width)
        top, bottom = (y.at(point["y"]),) * 2 if y and "y" in point else (0.0, canvas.height)
        if x and point.get("x2") is not None:
            right = x.at(point["x2"])
        if y and point.get("y2") is not None:
            bottom = y.at(point["y2"])
        color = _color(layer, canvas, point, "currentColor")
        yield f'<line x1="{left:.1f}" y1="{top:.1f}" x2="{right:.1f}" y2="{bottom:.1f}" stroke="{color}"/>'


def _arcs(layer: Layer, canvas: Canvas) -> Iterator[str]:
    if "theta" not in layer.channels:
        raise NotDrawn("its arcs have no theta")
    whole = sum(max(point["theta"], 0) for point in layer.points)
    middle, down = canvas.width / 2, canvas.height / 2
    outer = min(middle, down)
    inner = min(float(layer.look.get("innerRadius") or 0), outer * 0.95)
    angle = 0.0
    for point in layer.points[:MOST]:
        turn = 2 * pi * max(point["theta"], 0) / whole if whole else 0
        path = _arc(middle, down, inner, outer, angle, angle + min(turn, 2 * pi - 1e-4))
        yield f'<path d="{path}" fill="{_color(layer, canvas, point)}">{_told(layer, point)}</path>'
        angle += turn


def _arc(x: float, y: float, inner: float, outer: float, start: float, end: float) -> str:
    def at(radius: float, angle: float) -> str:
        return f"{x + radius * sin(angle):.2f} {y - radius * cos(angle):.2f}"

    large = 1 if end - start > pi else 0
    there = f"M{at(outer, start)} A{outer:.2f} {outer:.2f} 0 {large} 1 {at(outer, end)}"
    if not inner:
        return f"{there} L{x:.2f} {y:.2f} Z"
    return f"{there} L{at(inner, end)} A{inner:.2f} {inner:.2f} 0 {large} 0 {at(inner, start)} Z"


_HOW: Mapping[str, Callable[[Layer, Canvas], Iterator[str]]] = {
    "arc": _arcs,
    "area": _areas,
    "bar": _bars,
    "line": _lines,
    "point": _points,
    "rect": _rects,
    "rule": _rules,
    "text": _texts,
    "tick": _ticks,
}


def _both(canvas: Canvas) -> tuple[Scale, Scale]:
    if "x" not in canvas.scales or "y" not in canvas.scales:
        raise NotDrawn("its lines have no x or no y")
    return canvas.scales["x"], canvas.scales["y"]


def _at(canvas: Canvas, point: Point, name: str, without: float) -> float:
    """Where the point stands along an axis, beside the others of its place where there's an offset."""
    scale, offset = canvas.scales.get(name), canvas.scales.get(f"{name}Offset")
    if scale is None or name not in point:
        return without
    beside = point.get(f"{name}Offset")
    return scale.at(point[name]) + (offset.at(beside) if offset and beside is not None else 0.0)


def _groups(layer: Layer, points: Iterable[Point]) -> Iterable[list[Point]]:
    """One line or area for each colour and detail."""
    found: dict[tuple[Any, ...], list[Point]] = {}
    for point in points:
        is_named = "color" in layer.channels and layer.channels["color"].is_discrete
        details = (value for name, value in point.items() if name.startswith("detail "))
        key = (point.get("color") if is_named else None, *details)
        found.setdefault(key, []).append(point)
    return found.values()


def _ordered(layer: Layer, points: list[Point]) -> list[Point]:
    if "order" in layer.channels:
        return sorted(points, key=lambda point: (point["order"] is None, point["order"]))
    x = layer.channels["x"]
    return points if x.is_discrete else sorted(points, key=lambda point: point["x"])


def _rect(x1: float, y1: float, x2: float, y2: float, color: str, told: str) -> str:
    left, top = min(x1, x2), min(y1, y2)
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{abs(x2 - x1):.1f}" height="{abs(y2 - y1):.1f}"'
        f' fill="{color}">{told}</rect>'
    )


def _color(layer: Layer, canvas: Canvas, point: Point, default: str = "") -> str:
    channel = layer.channels.get("color")
    if channel is not None and channel.value is None:
        return canvas.colors.of(point.get("color"))
    wanted = (channel.value if channel else None) or layer.look.get("color") or layer.look.get("fill")
    return safe(wanted) or default or canvas.colors.first


def _told(layer: Layer, point: Point) -> str:
    """What a mark shows, for who points at it."""
    shown = []
    for name, channel in layer.channels.items():
        value = point.get(name)
        if value is not None and channel.name:
            text = number_text(value) if channel.kind == "quantitative" else str(value)
            shown.append(f"{channel.name}: {_moment(value) if channel.kind == 'temporal' else text}")
    return f"<title>{escape('; '.join(shown))}</title>"


def _moment(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat(" ", "seconds").removesuffix("+00:00")
