"""The terminal that a run was started on, lent to one task at a time while a debugger is open in it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import TracebackType
from typing import Any


def has_terminal() -> bool:
    """Whether a user can type here: input and output are a terminal, and this process is in its foreground."""
    try:
        return os.isatty(0) and os.isatty(1) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


class Terminal:
    """This process's terminal. Only where `has_terminal()`."""

    def __init__(self) -> None:
        self._before: list[Any] | None = None

    def lend(self, group: int) -> None:
        """Make a task's process group the foreground one: it gets what is typed, Ctrl-C included."""
        import termios

        if self._before is None:
            self._before = termios.tcgetattr(0)
        with suppress(OSError):  # it has ended meanwhile
            os.tcsetpgrp(0, group)

    def take_back(self) -> None:
        """After the task's end: the foreground again, and the settings as they were. Nothing where none was lent."""
        if self._before is None:
            return
        import termios

        # From the background this would stop the process, which is what SIGTTOU is for.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            os.tcsetpgrp(0, os.getpgrp())
            termios.tcsetattr(0, termios.TCSADRAIN, self._before)
        except (OSError, termios.error):
            pass  # the terminal is gone
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            self._before = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.take_back()
