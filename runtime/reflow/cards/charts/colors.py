"""Colours for names and for amounts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

_NAMES = (
    "#3b6fb6",
    "#d9792b",
    "#3f9150",
    "#c0433f",
    "#7d5ba6",
    "#8a6a4f",
    "#c96aa0",
    "#6f7480",
    "#a8a032",
    "#2f9db0",
)
_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,30}|(?:rgb|hsl)a?\([0-9.,%/ ]{1,40}\)")
_LEAST, _MOST = (205, 222, 240), (16, 56, 120)


def safe(color: object) -> str:
    """The colour, where it is one; "" for whatever else would stand in the page."""
    return color if isinstance(color, str) and _COLOR.fullmatch(color) else ""


class Colors:
    """`names`: those that have one each; `low` and `high`: of amounts."""

    first = _NAMES[0]

    def __init__(
        self, names: Sequence[str] = (), low: float = 0.0, high: float = 0.0, own: Iterable[Any] = ()
    ) -> None:
        palette = [color for one in own if (color := safe(one))] or list(_NAMES)
        self.names = list(names)
        self.low, self.high = low, high
        self._of = {name: palette[place % len(palette)] for place, name in enumerate(self.names)}

    def of(self, value: Any) -> str:
        """A name's colour, or an amount's."""
        if isinstance(value, str):
            return self._of.get(value, self.first)
        if not isinstance(value, int | float):
            return "#8888"
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 1.0
        mixed = [round(a + (b - a) * min(max(share, 0), 1)) for a, b in zip(_LEAST, _MOST, strict=True)]
        return f"rgb({mixed[0]},{mixed[1]},{mixed[2]})"
