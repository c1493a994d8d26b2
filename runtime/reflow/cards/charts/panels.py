"""A chart of several panels: one for each value of a row, of a column, or of a facet."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

from reflow.cards.charts.aggregates import Point
from reflow.cards.charts.reading import FACETS, Layer, NotDrawn
from reflow.cards.charts.scales import in_order
from reflow.values.dataclass import dataclass, replace

_MOST = 64


@dataclass(frozen=True, slots=True)
class Panel:
    """What one panel shows, and what it's called: "" where it's the only one."""

    title: str
    layers: Sequence[Layer]


def panels_of(layers: Sequence[Layer]) -> list[list[Panel]]:
    """The panels, row by row. Raises NotDrawn where they're very many."""
    rows, columns, facets = (_values(layers, name) for name in FACETS)
    if max(len(rows), 1) * max(len(columns), 1) * max(len(facets), 1) > _MOST:
        raise NotDrawn(f"it has more than {_MOST} panels")
    if facets:
        wide = ceil(sqrt(len(facets)))
        made = [_panel(layers, {"facet": name}) for name in facets]
        return [made[start : start + wide] for start in range(0, len(made), wide)]
    down: Sequence[str | None] = rows or [None]
    across: Sequence[str | None] = columns or [None]
    return [[_panel(layers, _named(row, column)) for column in across] for row in down]


def _named(row: str | None, column: str | None) -> dict[str, str]:
    return {name: value for name, value in (("row", row), ("column", column)) if value is not None}


def _values(layers: Sequence[Layer], name: str) -> list[str]:
    found = {str(point[name]) for layer in layers for point in layer.points if point.get(name) is not None}
    return sorted(found, key=in_order)


def _panel(layers: Sequence[Layer], wanted: dict[str, str]) -> Panel:
    def is_here(point: Point) -> bool:
        return all(name not in point or str(point[name]) == value for name, value in wanted.items())

    own = [replace(layer, points=[point for point in layer.points if is_here(point)]) for layer in layers]
    return Panel(" | ".join(wanted.values()), own)
