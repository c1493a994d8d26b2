"""The chart of a specification: its scales, axes and legend, and the marks between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reflow.cards.charts.colors import Colors
from reflow.cards.charts.marks import MOST, Canvas, amount_channel, draw, stacked
from reflow.cards.charts.panels import Panel, panels_of
from reflow.cards.charts.reading import Channel, Layer, NotDrawn, layers_of
from reflow.cards.charts.scales import Band, Linear, Log, Power, Scale, Time, in_order, number_text
from reflow.cards.parts import escape, shortened

_WIDTH, _HEIGHT = 480.0, 260.0
_GAP = 16.0  # between panels
_LETTER = 6.2  # pixels of one, about
_LONGEST = 26  # characters of a tick's or a legend's text
_LEGEND = 24  # names in it


def figure(spec: Mapping[str, Any]) -> str:
    """The chart's HTML; where it can't be drawn, why."""
    try:
        return f'<figure class="chart">{"".join(_charts(spec))}</figure>'
    except NotDrawn as reason:
        told = f"This chart isn't drawn here: {reason}."
    except Exception as error:
        told = f"This chart isn't drawn here: its specification isn't understood ({type(error).__name__}: {error})."
    return f'<p class="note">{escape(told)}</p>'


def _charts(spec: Mapping[str, Any]) -> Iterator[str]:
    for several in ("hconcat", "vconcat", "concat"):
        if several in spec:
            shared = {name: spec[name] for name in ("data", "datasets") if name in spec}
            for one in spec[several]:
                yield from _charts({**shared, **one})
            return
    yield _chart(spec)


def _chart(spec: Mapping[str, Any]) -> str:
    layers = layers_of(spec)
    panels = panels_of(layers)
    many = max(map(len, panels))
    spec = {**spec, **(spec.get("spec") or {})}
    width, height = _size(spec, "width", _WIDTH / many), _size(spec, "height", _HEIGHT)
    if any(layer.how == "arc" for layer in layers):
        width = height = min(width, height)
    scales = _scales(layers, width, height)
    canvas = Canvas(width, height, scales, _colors(layers))
    left = _left(scales)
    legend = _legend(layers, canvas, many * (left + width + _GAP) - left)
    right = 16 + (150 if legend else 0)
    title = spec.get("title")
    text = title.get("text") if isinstance(title, Mapping) else title
    text = " ".join(map(str, text)) if isinstance(text, list) else str(text or "")
    top = (34 if text else 12) + (16 if panels[0][0].title else 0)
    line = top + height + (44 if "x" in scales else 12)
    whole = (many * (left + width + _GAP) - _GAP + right, line * len(panels))
    drawn = [
        f'<g transform="translate({left + across * (left + width + _GAP):.0f},{top + down * line:.0f})">'
        f"{_inside(panel, canvas)}</g>"
        for down, row in enumerate(panels)
        for across, panel in enumerate(row)
    ]
    head = _text(left + width / 2 if many == 1 else whole[0] / 2, 18, text, "middle", "600")
    more = sum(max(len(layer.points) - MOST, 0) for layer in layers if layer.how not in ("line", "area"))
    note = f"<figcaption>{more:,} more points aren't drawn.</figcaption>" if more else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(text or "chart")}"'
        f' width="{whole[0]:.0f}" height="{whole[1]:.0f}" viewBox="0 0 {whole[0]:.0f} {whole[1]:.0f}"'
        f' font-size="11" font-family="sans-serif">{head}{"".join(drawn)}'
        f'<g transform="translate({left:.0f},{top})">{legend}</g></svg>{note}'
    )


def _inside(panel: Panel, canvas: Canvas) -> str:
    marks = "".join(draw(layer, canvas) for layer in panel.layers)
    return f"{_text(canvas.width / 2, -5, panel.title, 'middle')}{_axes(panel.layers, canvas)}{marks}"


def _size(spec: Mapping[str, Any], name: str, default: float) -> float:
    given = spec.get(name)
    return min(max(float(given), 60.0), 2000.0) if isinstance(given, int | float) else default


# Scales


def _scales(layers: Sequence[Layer], width: float, height: float) -> dict[str, Scale]:
    """By their channels: the axes, and where what shares a place on them stands beside each other."""
    found: dict[str, Scale] = {}
    for name, start, end in (("x", 0.0, width), ("y", height, 0.0)):
        scale = _scale(layers, name, start, end)
        if scale is not None:
            found[name] = scale
        if any(f"{name}Offset" in layer.channels for layer in layers):
            half = scale.band * 0.42 if scale else 0.0
            beside = _scale(layers, f"{name}Offset", -half, half)
            if not half or not isinstance(beside, Band):
                raise NotDrawn(f"it has {name}Offset for amounts")
            found[f"{name}Offset"] = beside
    return found


def _scale(layers: Sequence[Layer], name: str, start: float, end: float) -> Scale | None:
    """The one that all layers share along an axis."""
    users = [layer for layer in layers if name in layer.channels and layer.channels[name].value is None]
    if not users or any(layer.how == "arc" for layer in users):
        return None
    channel = users[0].channels[name]
    if channel.is_discrete:
        if any(not layer.channels[name].is_discrete for layer in users):
            raise NotDrawn(f"its layers differ in what {name} is")
        names = _names(users, name, channel)
        return Band(names[::-1] if channel.scale.get("reverse") else names, start, end)
    values = [value for layer in users for value in _amounts(layer, name)]
    if not values:
        raise NotDrawn(f"there are no values for {name}")
    if channel.scale.get("reverse") or channel.sort == "descending":
        start, end = end, start
    if channel.kind == "temporal":
        return Time(min(values), max(values), start, end)
    domain = channel.scale.get("domain")
    is_given = isinstance(domain, list) and len(domain) == 2
    low, high = (float(domain[0]), float(domain[1])) if is_given and domain else (min(values), max(values))
    kind = channel.scale.get("type", "linear")
    if kind == "log":
        return Log(low, high, start, end)
    if kind not in ("linear", "sqrt", "pow"):
        raise NotDrawn(f"it has a scale of the type {kind!r}")
    if not is_given and channel.scale.get("zero", not channel.bins):
        low, high = min(low, 0.0), max(high, 0.0)
    if kind == "linear":
        return Linear(low, high, start, end, nice=not is_given)
    exponent = 0.5 if kind == "sqrt" else float(channel.scale.get("exponent", 1))
    return Power(low, high, start, end, exponent, nice=not is_given)


def _amounts(layer: Layer, name: str) -> Iterator[float]:
    stack = stacked(layer)
    if stack and stack[0] == name:
        yield from (value for point in stack[1] for value in (point["from"], point["to"]))
    else:
        ends = (name, f"{name}2", f"{name}_end")
        yield from (p[end] for p in layer.points for end in ends if isinstance(p.get(end), int | float))
        grows = layer.how in ("bar", "area") and name == amount_channel(layer)
        if grows and not layer.channels[name].bins and layer.channels[name].kind == "quantitative":
            yield 0.0


def _names(users: Iterable[Layer], name: str, channel: Channel) -> list[str]:
    users = list(users)
    found = list(dict.fromkeys(str(p[name]) for u in users for p in u.points if p.get(name) is not None))
    sort = channel.sort
    if isinstance(sort, list):
        wanted = [str(one) for one in sort]
        return [one for one in wanted if one in found] + [one for one in found if one not in wanted]
    if sort is None:
        return found
    if isinstance(sort, str) and sort.lstrip("-") in ("x", "y"):
        other, totals = sort.lstrip("-"), dict.fromkeys(found, 0.0)
        for point in (p for u in users for p in u.points):
            if isinstance(point.get(other), int | float):
                totals[str(point[name])] += point[other]
        return sorted(found, key=lambda one: totals[one], reverse=sort.startswith("-"))
    return sorted(found, key=in_order, reverse=sort == "descending")


def _colors(layers: Sequence[Layer]) -> Colors:
    users = [u for u in layers if "color" in u.channels and u.channels["color"].value is None]
    if not users:
        return Colors()
    channel = users[0].channels["color"]
    if channel.is_discrete:
        domain, given = channel.scale.get("domain"), channel.scale.get("range")
        names = _names(users, "color", channel)
        if isinstance(domain, list):
            names = [str(one) for one in domain]
        return Colors(names, own=given if isinstance(given, list) else ())
    values = [p["color"] for u in users for p in u.points if isinstance(p.get("color"), int | float)]
    return Colors((), min(values, default=0.0), max(values, default=0.0))


# Around the marks


def _axes(layers: Sequence[Layer], canvas: Canvas) -> str:
    made = []
    for name, scale in canvas.scales.items():
        if name.endswith("Offset"):
            continue
        title = next((c.title for u in layers if (c := u.channels.get(name)) and c.title), "")
        made += list((_below if name == "x" else _beside)(scale, canvas, title))
    return "".join(made)


def _below(scale: Scale, canvas: Canvas, title: str) -> Iterator[str]:
    ticks = scale.ticks()
    width = sum(len(_short(text)) * _LETTER + 8 for _, text in ticks)
    every = max(1, round(width / max(canvas.width, 1) + 0.49)) if width > canvas.width else 1
    yield _line(0, canvas.height, canvas.width, canvas.height, 0.6)
    for place, text in ticks[::every]:
        if not scale.band:
            yield _line(place, 0, place, canvas.height, 0.15)
        yield _text(place, canvas.height + 15, _short(text), "middle")
    yield _text(canvas.width / 2, canvas.height + 34, title, "middle", "600")


def _beside(scale: Scale, canvas: Canvas, title: str) -> Iterator[str]:
    yield _line(0, 0, 0, canvas.height, 0.6)
    for place, text in scale.ticks():
        if not scale.band:
            yield _line(0, place, canvas.width, place, 0.15)
        yield _text(-6, place + 4, _short(text), "end")
    left = _left(canvas.scales)
    yield (
        f'<text transform="translate({14 - left:.0f},{canvas.height / 2:.0f}) rotate(-90)" text-anchor="middle"'
        f' font-weight="600">{escape(shortened(title, 60))}</text>'
    )


def _left(scales: Mapping[str, Scale]) -> float:
    if "y" not in scales:
        return 16.0
    return 34 + max((len(_short(text)) for _, text in scales["y"].ticks()), default=0) * _LETTER


def _legend(layers: Sequence[Layer], canvas: Canvas, left: float) -> str:
    colors = canvas.colors
    channel = next((u.channels["color"] for u in layers if "color" in u.channels), None)
    if channel is None or channel.value is not None:
        return ""
    entries = [(name, colors.of(name)) for name in colors.names[:_LEGEND]]
    if not colors.names:
        apart = (colors.high - colors.low) / 4
        steps = [colors.high - apart * part for part in range(5)]
        entries = [(number_text(step, apart), colors.of(step)) for step in steps]
    made = [_text(left, 8, _short(channel.title), "start", "600")]
    for row, (name, color) in enumerate(entries):
        down = 18 + row * 16
        made.append(f'<rect x="{left:.0f}" y="{down}" width="10" height="10" fill="{color}"/>')
        made.append(_text(left + 15, down + 9, _short(name), "start"))
    if len(colors.names) > _LEGEND:
        made.append(_text(left, 27 + _LEGEND * 16, f"… {len(colors.names) - _LEGEND} more", "start"))
    return "".join(made)


def _short(text: str) -> str:
    return shortened(text, _LONGEST)


def _line(x1: float, y1: float, x2: float, y2: float, strength: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="currentColor"'
        f' stroke-opacity="{strength}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str, weight: str = "400") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
        if text
        else ""
    )
