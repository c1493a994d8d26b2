"""Reflow's own errors.

::

    ReflowError                 anything that Reflow tells a user, in one clear sentence; exit code 1
    ├── UsageError              the command line or a manifest is wrong; exit code 2
    ├── FlowError               the script is not a flow that can run: what, where, what to do
    ├── NotFound                a run, step, task, artifact or object that isn't there
    ├── StoreError              the store can't be used
    │   ├── StoreUnreachable    no answer: worth another try later
    │   ├── StoreRefused        the key or the permission was refused: final
    │   ├── StoreUnsuitable     it answers, but lacks what Reflow relies on (put if absent): final
    │   └── CorruptObject       what was read isn't what was written (hash, truncation)
    ├── NewerFormat             written by a newer Reflow than this one
    └── UnloadableValue         an artifact that this Python or these packages can't load
"""

from __future__ import annotations


class ReflowError(Exception):
    """What went wrong, where, and what to do: one message, written for a user. Never shown with a traceback."""

    exit_code = 1
    headline = "Flow failed"

    def __init__(self, msg: object = "", lineno: int | None = None, source_file: str | None = None) -> None:
        """`lineno` and `source_file` are for scripts that raise it as Metaflow's MetaflowException."""
        self.line_no = lineno
        self.source_file = source_file
        super().__init__(msg)

    @property
    def message(self) -> str:
        """What `str` of it gives."""
        return str(self)


class UsageError(ReflowError):
    """The command line or a manifest is wrong."""

    exit_code = 2


class FlowError(ReflowError):
    """The script is not a flow that can run."""

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        """`message` says what is wrong; `file` and `line` (from 1) say where."""
        self.reason = message
        self.file = file
        self.line = line
        where = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(where + message)


class NotFound(ReflowError):
    """A run, step, task, artifact or object that isn't there."""


class StoreError(ReflowError):
    """The store can't be used."""


class StoreUnreachable(StoreError):
    """The store gives no answer; worth another try later."""


class StoreRefused(StoreError):
    """The store refused the key or lacks a permission; trying again won't help."""


class StoreUnsuitable(StoreError):
    """The store answers, but lacks what Reflow relies on, such as a put that fails when the object exists."""


class CorruptObject(StoreError):
    """What was read isn't what was written."""


class NewerFormat(ReflowError):
    """Written by a newer Reflow than this one."""


class UnloadableValue(ReflowError):
    """An artifact that this Python, or the packages installed here, can't load."""
