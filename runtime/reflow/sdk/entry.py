"""What `MyFlow()` at the end of a script does: its command line, or, where a task loads the script, nothing more.

A command line never returns, so in a task too nothing of the script runs after that call.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FlowEntered(BaseException):
    """Ends a script's loading where its command line would have begun. Not an Exception: nobody should catch it."""


class Entry:
    """Which flow class the script called; None while it hasn't."""

    __slots__ = ("flow",)

    def __init__(self) -> None:
        self.flow: type | None = None


_expected: list[Entry] = []
_last = Entry()


@contextmanager
def expecting_entry() -> Iterator[Entry]:
    """Within this, `MyFlow()` notes its class in the entry and raises FlowEntered."""
    entry = Entry()
    _expected.append(entry)
    try:
        yield entry
    finally:
        _expected.remove(entry)


def note_entry(flow: type) -> None:
    """Called by `MyFlow()`. Returns where a command line should run; else raises FlowEntered."""
    _last.flow = flow
    if _expected:
        _expected[-1].flow = flow
        raise FlowEntered


def entered_flow() -> type | None:
    """The flow class that this process's script called, if it has."""
    return _last.flow
