"""Samples, what is told of them, and tables in Markdown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean, median


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: samples of one thing, in `unit` (s, ms, MB, …). `note`: what else to know of it."""

    what: str
    samples: Sequence[float]
    unit: str = "s"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that was promised: `value` is to be at most `limit`, or at least it where `at_least`."""

    text: str
    value: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "met" if self.met else "MISSED"
        return f"{verdict}: {self.text}: {number(self.value)}{self.unit} ({sign} {number(self.limit)}{self.unit})"


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark found. `how`: how it was measured, in sentences; `load`: what else the machine did."""

    title: str
    how: str
    rows: Sequence[Row]
    load: str
    goals: Sequence[Goal] = field(default=())

    def __str__(self) -> str:
        lines = [f"### {self.title}", "", self.how, "", *table(self.rows), "", f"Load: {self.load}."]
        lines += ["", *(f"- {goal}" for goal in self.goals)] if self.goals else []
        return "\n".join(lines)


def table(rows: Sequence[Row]) -> list[str]:
    """The lines of a Markdown table."""
    lines = ["| what | n | median | mean | min–max | note |", "|---|---:|---:|---:|---:|---|"]
    for row in rows:
        if not row.samples:
            lines.append(f"| {row.what} | 0 | – | – | – | {row.note} |")
            continue
        low, high = number(min(row.samples)), number(max(row.samples))
        unit = f" {row.unit}" if row.unit else ""
        lines.append(
            f"| {row.what} | {len(row.samples)} | {number(median(row.samples))}{unit} "
            f"| {number(mean(row.samples))}{unit} | {low}–{high} | {row.note} |"
        )
    return lines


def number(value: float) -> str:
    """Three digits that count: 0.00123, 1.23, 12.3, 1,234."""
    size = abs(value)
    if value == int(value) and size >= 1:
        return f"{int(value):,}"
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    return f"{value:.3f}"


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Pair by pair: what was measured right after one another is compared."""
    return [a / b for a, b in zip(over, under, strict=True)]
