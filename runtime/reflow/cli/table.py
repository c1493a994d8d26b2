"""Tables, ages and sizes for people to read."""

from __future__ import annotations

from collections.abc import Sequence

from reflow.values.untrusted import one_line

_AGES = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_SIZES = (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10))


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, their columns aligned; columns that are empty below the heading are left out."""
    if not rows:
        return []
    used = [n for n in range(len(rows[0])) if len(rows) == 1 or any(row[n] for row in rows[1:])]
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = {n: max(len(row[n]) for row in rows) for n in used}
    return ["  ".join(row[n].ljust(widths[n]) for n in used).rstrip() for row in rows]


def age(seconds: float) -> str:
    """`3d`, `5h`, `12m`, `8s`."""
    for unit, size in _AGES:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "0s"


def size(count: int) -> str:
    """`1.2 MB`, `87 bytes`."""
    for unit, bytes_in in _SIZES:
        if count >= bytes_in:
            return f"{count / bytes_in:.1f} {unit}"
    return "1 byte" if count == 1 else f"{count} bytes"


def counted(number: int, what: str) -> str:
    """`1 run`, `12,345 runs`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
