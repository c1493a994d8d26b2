"""A line at a terminal's bottom that changes in place, with other lines printed above it.

All that changes at once is one write, so nothing flickers. One thread redraws what has changed, and the clock.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import TextIO

EVERY = 0.2  # seconds between two looks at whether the line has changed
CLEAR = "\r\x1b[2K"
DEFAULT_COLUMNS = 80


def can_move(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a line can change in place there: on a terminal that knows how, and that a person looks at."""
    if environ.get("TERM", "dumb") in ("", "dumb") or environ.get("CI", "") not in ("", "0", "false"):
        return False
    try:
        return out.isatty()
    except ValueError:
        return False


class StatusLine:
    """`text`: the line as it is now, for a terminal of so many columns."""

    def __init__(self, out: TextIO, text: Callable[[int], str]) -> None:
        self._out = out
        self._text = text
        self._shown = ""
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def above(self, line: str) -> None:
        """Print a line above it. Raises BrokenPipeError, OSError."""
        with self._lock:
            text = self._text(self._columns()) if self._thread else ""
            self._write(f"{CLEAR if self._shown else ''}{line}\n{text}")
            self._shown = text

    def start(self) -> None:
        """Show it, from now on. Nothing where it's shown already."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._redraw, name="status line", daemon=True)
            self._thread.start()

    def hide(self) -> None:
        """Take it away, until it's started again."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        thread.join()
        with self._lock:
            if self._shown:
                self._write(CLEAR)
            self._shown = ""

    def _redraw(self) -> None:
        while not self._stop.wait(EVERY):
            with self._lock:
                text = self._text(self._columns())
                if text == self._shown:
                    continue
                try:
                    self._write(f"{CLEAR}{text}" if self._shown else text)
                except OSError:
                    return  # whoever prints next is told
                self._shown = text

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._out.fileno()).columns or DEFAULT_COLUMNS
        except (OSError, ValueError):
            return DEFAULT_COLUMNS
