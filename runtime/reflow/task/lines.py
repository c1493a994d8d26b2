"""A stream of bytes as lines of text, in bounded memory."""

from __future__ import annotations

LONGEST = 64 * 1024  # bytes; a longer line is shown in pieces
PROGRESS_EVERY = 5.0  # seconds between two looks at a line that is only ever written over


class LineSplitter:
    """Feed it what a stream gave; it returns the lines that are complete.

    A carriage return goes back to the line's beginning, as on a terminal: what a progress bar writes over is shown
    only now and then, and as it is when its line ends.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._shown_at = 0.0

    def feed(self, data: bytes, now: float) -> list[str]:
        """Lines without their ends. `now`: seconds, of any clock that doesn't go back."""
        parts = (self._rest + data).split(b"\n")
        self._rest = parts.pop()
        lines = [_text(part) for part in parts]
        if b"\r" in self._rest[:-1]:
            lines.extend(self._progress(now))
        while len(self._rest) > LONGEST:
            lines.append(_text(self._rest[:LONGEST]))
            self._rest = self._rest[LONGEST:]
        if lines:
            self._shown_at = now
        return lines

    def _progress(self, now: float) -> list[str]:
        written, _, last = self._rest.rstrip(b"\r").rpartition(b"\r")
        self._rest = last + b"\r" if self._rest.endswith(b"\r") else last
        if now - self._shown_at < PROGRESS_EVERY:
            return []
        text = _text(written)
        return [text] if text else []

    def flush(self) -> list[str]:
        """What is left at the stream's end."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []


def _text(line: bytes) -> str:
    """As a terminal shows it in the end: what stands after the last carriage return."""
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
