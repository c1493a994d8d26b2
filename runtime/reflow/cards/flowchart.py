"""The flow's steps as a picture: one row of boxes under the other, each step below all that lead to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reflow.cards.parts import escape, shortened
from reflow.values.dataclass import dataclass

MOST = 150  # steps of a flow that's drawn
_LETTER, _LONGEST = 7.2, 28  # pixels and number of a name's letters
_BOX, _ROW, _GAP = 28.0, 62.0, 26.0  # heights of a box and of a row, the distance of two boxes, in pixels
_SWEEPS = 4  # times that rows are put in order by their neighbours
_MARGIN = 24.0

Steps = Mapping[str, Mapping[str, Any]]
Node = tuple[str, str, int]
"""A step, or a point that a line passes: its step, the step that the line leads to or "", and its row."""
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """From a step to one that follows it: the nodes that it passes. `is_back`: it closes a loop."""

    source: str
    target: str
    nodes: tuple[Node, ...]
    is_back: bool


def picture(steps: Steps, here: str = "") -> str:
    """SVG; "" for a flow of too many steps. `here`: the step to mark."""
    if not steps or len(steps) > MOST:
        return ""
    rows = rows_of(steps)
    lines = list(_lines(steps, rows))
    order = _ordered(rows, lines)
    places = _places(order)
    right = max(x + _width(node) / 2 for node, (x, _) in places.items())
    backs = sum(line.is_back for line in lines)
    width = right + _MARGIN + 14 * backs
    height = len(order) * _ROW - (_ROW - _BOX) + 8
    drawn = [*_drawn(steps, lines, places, right), *_boxes(steps, places, here)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="The flow\'s steps" width="{width:.0f}"'
        f' height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" font-size="12" font-family="sans-serif">'
        f"{''.join(drawn)}</svg>"
    )


def rows_of(steps: Steps) -> dict[str, int]:
    """Each step's row, from 0: below all that lead to it, but for what closes a loop."""
    forward = _forward(steps)
    into = dict.fromkeys(steps, 0)
    for targets in forward.values():
        for target in targets:
            into[target] += 1
    rows = dict.fromkeys(steps, 0)
    ready = [name for name, count in into.items() if not count]
    for name in ready:
        for target in forward[name]:
            rows[target] = max(rows[target], rows[name] + 1)
            into[target] -= 1
            if not into[target]:
                ready.append(target)
    return rows


def _targets(steps: Steps, name: str) -> list[str]:
    return [target for target in dict.fromkeys(steps[name].get("next", ())) if target in steps]


def _forward(steps: Steps) -> dict[str, list[str]]:
    """What each step leads to, without the lines that close a loop: found by going down each way once."""
    forward: dict[str, list[str]] = {name: [] for name in steps}
    above: set[str] = set()
    seen: set[str] = set()
    for first in steps:
        ways = [(first, iter(_targets(steps, first)))] if first not in seen else []
        seen.add(first)
        above.add(first)
        while ways:
            name, targets = ways[-1]
            target = next(targets, None)
            if target is None:
                ways.pop()
                above.discard(name)
                continue
            if target not in above:
                forward[name].append(target)
            if target not in seen:
                seen.add(target)
                above.add(target)
                ways.append((target, iter(_targets(steps, target))))
    return forward


def _lines(steps: Steps, rows: Mapping[str, int]) -> Iterator[Line]:
    for name in steps:
        for target in _targets(steps, name):
            start, end = (name, "", rows[name]), (target, "", rows[target])
            if rows[target] <= rows[name]:
                yield Line(name, target, (start, end), True)
            else:
                passed = tuple((name, target, row) for row in range(rows[name] + 1, rows[target]))
                yield Line(name, target, (start, *passed, end), False)


# Where they stand


def _ordered(rows: Mapping[str, int], lines: Sequence[Line]) -> list[list[Node]]:
    """The nodes of each row, ordered so that few lines cross."""
    order: list[list[Node]] = [[] for _ in range(max(rows.values()) + 1)]
    for name, row in rows.items():
        order[row].append((name, "", row))
    near: dict[Node, list[Node]] = {}
    for line in lines:
        if line.is_back:
            continue
        for node in line.nodes[1:-1]:
            order[node[2]].append(node)
        for one, other in zip(line.nodes, line.nodes[1:], strict=False):
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
    for sweep in range(_SWEEPS):
        step = 1 if sweep % 2 == 0 else -1
        for row in range(len(order))[::step]:
            if 0 <= row - step < len(order):
                _sort(order[row], order[row - step], near)
    return order


def _sort(nodes: list[Node], beside: Sequence[Node], near: Mapping[Node, Sequence[Node]]) -> None:
    share = {node: (place + 0.5) / len(beside) for place, node in enumerate(beside)}
    own = {node: (place + 0.5) / len(nodes) for place, node in enumerate(nodes)}

    def wanted(node: Node) -> float:
        found = [share[other] for other in near.get(node, ()) if other in share]
        return sum(found) / len(found) if found else own[node]

    nodes.sort(key=wanted)


def _width(node: Node) -> float:
    name, passed, _ = node
    return 8.0 if passed else len(shortened(name, _LONGEST)) * _LETTER + 24


def _places(order: Sequence[Sequence[Node]]) -> dict[Node, Place]:
    widths = [sum(map(_width, nodes)) + _GAP * (len(nodes) - 1) for nodes in order]
    places: dict[Node, Place] = {}
    for row, nodes in enumerate(order):
        left = _MARGIN / 2 + (max(widths) - widths[row]) / 2
        for node in nodes:
            places[node] = (left + _width(node) / 2, row * _ROW + 4)
            left += _width(node) + _GAP
    return places


# What is drawn


def _drawn(steps: Steps, lines: Sequence[Line], places: Mapping[Node, Place], right: float) -> Iterator[str]:
    backs = 0
    for line in lines:
        kind = steps[line.source].get("type")
        dash = ' stroke-dasharray="4 3"' if kind == "switch" else ""
        if line.is_back:
            backs += 1
            way = _round(line, places, right + 14.0 * backs)
        else:
            way = "".join(_pieces([places[node] for node in line.nodes]))
        told = _told(line, str(kind))
        yield f'<path d="{way}" fill="none" stroke="currentColor" stroke-opacity="0.55"{dash}>{told}</path>'
        yield _head(places[line.nodes[-1]], _width(line.nodes[-1]) if line.is_back else 0)


def _told(line: Line, kind: str) -> str:
    how = {"foreach": ", for each item", "switch": ", or another"}.get(kind, "")
    return f"<title>{escape(line.source)} → {escape(line.target)}{how}</title>"


def _pieces(places: Sequence[Place]) -> Iterator[str]:
    """Down from box to box; straight past the rows between."""
    x, y = places[0]
    yield f"M{x:.1f} {y + _BOX:.1f}"
    for number, (to_x, to_y) in enumerate(places[1:], 2):
        above = y + _BOX
        yield f" C{x:.1f} {(above + to_y) / 2:.1f} {to_x:.1f} {(above + to_y) / 2:.1f} {to_x:.1f} {to_y:.1f}"
        if number < len(places):
            yield f" L{to_x:.1f} {to_y + _BOX:.1f}"
        x, y = to_x, to_y


def _round(line: Line, places: Mapping[Node, Place], far: float) -> str:
    """From a box's right side up to an earlier one's, past all others."""
    (x, y), (to_x, to_y) = places[line.nodes[0]], places[line.nodes[-1]]
    x, y = x + _width(line.nodes[0]) / 2, y + _BOX / 2 + 4
    to_x, to_y = to_x + _width(line.nodes[-1]) / 2, to_y + _BOX / 2 - 4
    return f"M{x:.1f} {y:.1f} C{far:.1f} {y:.1f} {far:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _head(place: Place, width: float) -> str:
    """An arrow's, onto a box's top, or onto the right side of one so wide."""
    x, y = place
    if width:
        x, y = x + width / 2, y + _BOX / 2 - 4
        way = f"M{x:.1f} {y:.1f} l6 -3.5 v7 z"
    else:
        way = f"M{x:.1f} {y:.1f} l-3.5 -6 h7 z"
    return f'<path d="{way}" fill="currentColor" fill-opacity="0.7"/>'


def _boxes(steps: Steps, places: Mapping[Node, Place], here: str) -> Iterator[str]:
    for node, (x, y) in places.items():
        name, passed, _ = node
        if passed:
            continue
        left, width = x - _width(node) / 2, _width(node)
        about = steps[name]
        if about.get("type") == "foreach":  # a second sheet behind the first
            yield _box(left + 4, y + 4, width, "0.25")
        look = "here" if name == here else ""
        doc = f"<title>{escape(about['doc'])}</title>" if about.get("doc") else ""
        text = f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle"'
        yield _box(left, y, width, "0.8", "3" if look else "1")
        yield f'{text} class="step {look}">{escape(shortened(name, _LONGEST))}{doc}</text>'


def _box(left: float, top: float, width: float, strength: str, thick: str = "1") -> str:
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_BOX:.0f}" rx="5" fill="Canvas"'
        f' stroke="currentColor" stroke-opacity="{strength}" stroke-width="{thick}"/>'
    )
