"""What the variables were where a step failed: names and values as text, within limits, without secrets."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType, TracebackType
from typing import Any

from reflow.sdk.flowspec import STATE, FlowSpec
from reflow.task.hiding import hidden
from reflow.task.trace import is_runtime

LONGEST = 1024  # characters of one value
SECONDS = 1.0  # for all of them
MOST = 200  # variables
HIDDEN = "<hidden>"
_SECRET = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)


class _TooLong(BaseException):
    """The time is up. Not an Exception: a user's __repr__ may catch those."""


def locals_of(error: BaseException, secrets: Sequence[str] = ()) -> dict[str, str]:
    """The variables of the user's own innermost frame; a flow's artifacts as `self.name`."""
    frame = _users_frame(error.__traceback__)
    found: dict[str, str] = {}
    if frame is None:
        return found
    before: Any = None
    try:
        before = signal.signal(signal.SIGALRM, _time_is_up)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        for name, value in _variables(frame):
            found[name] = "<not shown: time was up>"
            found[name] = HIDDEN if _SECRET.search(name) else hidden(_text(value), secrets)
            if len(found) >= MOST:
                break
    except (_TooLong, ValueError):
        pass
    finally:
        if before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    return found


def _time_is_up(number: int, frame: FrameType | None) -> None:
    raise _TooLong


def _users_frame(trace: TracebackType | None) -> FrameType | None:
    """The innermost frame that is neither ours nor a library's; else the innermost that isn't ours."""
    users = None
    last = None
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not is_runtime(name):
            last = trace.tb_frame
            if "-packages" not in name and not name.startswith((sys.base_prefix + "/lib/", "<")):
                users = trace.tb_frame
        trace = trace.tb_next
    return users or last


def _variables(frame: FrameType) -> Iterator[tuple[str, Any]]:
    for name, value in frame.f_locals.items():
        if isinstance(value, FlowSpec):
            yield from ((f"{name}.{key}", held) for key, held in vars(value).items() if key != STATE)
        elif (
            not name.startswith("__")
            and not isinstance(value, type(sys))
            and frame.f_code.co_name != "<module>"
        ):
            yield name, value


def _text(value: Any) -> str:
    try:
        if isinstance(value, str | bytes) and len(value) > 2 * LONGEST:
            value = value[: 2 * LONGEST]
        text = repr(value)
    except Exception as error:
        return f"<no text: {type(error).__name__}>"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
