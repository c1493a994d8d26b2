"""A step's time limit, as its own process hears of it: the parent sends SIGALRM, and the step's code is interrupted.

So the failure says where the code was, `finally` clauses are run, and what the step had set is kept. Code that goes on
regardless is ended by the parent some seconds later.
"""

from __future__ import annotations

import signal
from types import FrameType

from reflow.sdk.exceptions import TimeoutException


def heed(seconds: float | None) -> None:
    """From here on the limit interrupts, where there is one."""
    if seconds is None:
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise TimeoutException(says(seconds))

    signal.signal(signal.SIGALRM, interrupt)


def heed_no_more(seconds: float | None) -> None:
    """The step's code is done with: what follows isn't interrupted."""
    if seconds is not None:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)


def says(seconds: float) -> str:
    """The failure in words."""
    return f"the step timed out after {seconds:g} second{'' if seconds == 1 else 's'}"
