"""A task's output, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from reflow.store.logs import Frame


def whole_lines(frames: Iterator[Frame]) -> Iterator[tuple[float, bytes]]:
    """Whole lines, each with the time of its beginning."""
    rest, since = b"", 0.0
    for frame in frames:
        since = since if rest else frame.time
        *whole, last = (rest + frame.data).split(b"\n")
        for line in whole:
            yield since, line
            since = frame.time
        rest = last
    if rest:
        yield since, rest
