"""What comes out of a store may have been written by anybody: names and numbers are checked where it's read, and text
is made harmless where it's shown."""

from __future__ import annotations

import re

LATEST = 253_402_300_799.0  # seconds since the epoch: the end of the year 9999, past which no calendar goes
# Control characters, with which a terminal can be told to do things, and those that turn the direction of writing.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def identifier(value: object) -> str:
    """A flow's or a step's name. Raises ValueError."""
    if isinstance(value, str) and value.isidentifier():
        return value
    raise ValueError(f"{value!r} can't be a name")


def text(value: object) -> str:
    """Raises ValueError for anything else."""
    if isinstance(value, str):
        return value
    raise ValueError(f"{value!r} isn't text")


def moment(value: object) -> float:
    """Seconds since the epoch that a calendar has. Raises ValueError."""
    if isinstance(value, int | float) and 0 <= value <= LATEST:
        return value
    raise ValueError(f"{value!r} is no time")


def count(value: object) -> int:
    """A number from 0. Raises ValueError."""
    if type(value) is int and value >= 0:
        return value
    raise ValueError(f"{value!r} is no count")


def plain(shown: str) -> str:
    """Text of any origin for a terminal: lines and tabs stay, other control characters are written out."""
    return _CONTROLS.sub(lambda found: repr(found.group())[1:-1], shown)


def one_line(shown: str) -> str:
    """As `plain`, on one line."""
    return plain(shown).replace("\n", "\\n").replace("\t", "\\t")
