"""Many points made one: bins and aggregates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from reflow.cards.charts.scales import step_of

Point: TypeAlias = dict[str, Any]
"""What a mark stands for: a value by the name of each channel."""


def put_in_bins(points: list[Point], name: str, most: int) -> None:
    """Put a channel's amounts into at most so many bins: where each begins, and under `<name>_end` where it ends."""
    values = [point[name] for point in points if point[name] is not None]
    if not values:
        return
    step = step_of(min(values), max(values), most)
    for point in points:
        if point[name] is not None:
            low = point[name] // step * step
            point[name], point[f"{name}_end"] = low, low + step


def aggregated(points: list[Point], how: Mapping[str, str]) -> list[Point]:
    """One point of all that differ only in these channels. `how`: each one's aggregate."""
    groups: dict[tuple[Any, ...], list[Point]] = {}
    for point in points:
        key = tuple((name, value) for name, value in point.items() if name not in how)
        groups.setdefault(key, []).append(point)
    return [{**dict(key), **_amounts(group, how)} for key, group in groups.items()]


def _amounts(group: list[Point], how: Mapping[str, str]) -> Point:
    made: Point = {}
    for name, aggregate in how.items():
        values = [one[name] for one in group if one[name] is not None]
        if aggregate == "count":
            made[name] = float(len(group))
        else:
            made[name] = AGGREGATES[aggregate](values) if values else None
    return made


def _mean(values: list[Any]) -> float:
    return float(sum(values) / len(values))


def _median(values: list[Any]) -> float:
    ordered, half = sorted(values), len(values) // 2
    return float(ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2)


AGGREGATES: Mapping[str, Any] = {
    "average": _mean,
    "count": len,
    "distinct": lambda values: float(len(set(values))),
    "max": max,
    "mean": _mean,
    "median": _median,
    "min": min,
    "sum": sum,
}
