"""Being told to stop: Ctrl-C, SIGTERM, SIGHUP. A handler notes it, the launcher's loop hears it at its next turn.

A KeyboardInterrupt would come at any instruction, between a task's end and the note of it; so none is raised.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

PATIENCE = (
    7.0  # seconds after the first signal; who asks again later waits for something that gives no answer
)
_WORDS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


class StopSignals:
    """Within this context the signals are noted instead of ending the process. In a thread that isn't the main one,
    Python takes no signals, and nothing is changed."""

    def __init__(self) -> None:
        self.asked = ""
        """What asked first, in words; "" for nothing."""
        self.then: Callable[[], object] = lambda: None
        """Called by the handler, at any instruction."""
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._before: dict[int, Any] = {}
        self._since = 0.0  # when it was asked first

    def fileno(self) -> int:
        """Readable when there's something new."""
        return self._reader

    def heard(self) -> str:
        """What asked to stop, "" for nothing; empties the pipe."""
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)
        return self.asked

    def _note(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._since and now - self._since > PATIENCE:
            os.write(2, b"\nStopped at once; what still runs ends by itself.\n")
            os._exit(1)  # the fork server, or the guard, ends the tasks
        self._since = self._since or now
        self.asked = self.asked or _WORDS.get(signal.Signals(number), "a signal")
        self.then()
        with suppress(BlockingIOError):  # it is full, so the loop will wake up anyway
            os.write(self._writer, b"s")

    def __enter__(self) -> StopSignals:
        for number in _WORDS:
            try:
                before = signal.getsignal(number)
                if before is not signal.SIG_IGN:  # nohup says that SIGHUP is to be ignored
                    self._before[number] = before
                    signal.signal(number, self._note)
            except ValueError:
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        os.close(self._reader)
        os.close(self._writer)
