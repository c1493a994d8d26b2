"""An exception as its user wants to see it: their own frames, in Python's own format."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import TracebackType

from reflow.store.values import ExceptionInfo
from reflow.values.errors import ReflowError

RUNTIME = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STANDARD = os.path.dirname(os.__file__) + os.sep  # where the standard library is
LONGEST = 256 * 1024  # characters of one traceback that are kept


def describe(error: BaseException, script: str, shown: str = "") -> ExceptionInfo:
    """`script`: the flow's file as the user gave it; frames in it are shown under that name, or as `shown`."""
    import traceback  # needed for failures alone

    name = _type_name(type(error))
    try:
        message = str(error)
    except Exception as another:
        message = f"<its text can't be made: {type(another).__name__}>"
    try:
        full = "".join(traceback.format_exception(error))
        users = traceback.TracebackException.from_exception(error)
        if isinstance(error, ReflowError):
            users.__cause__ = users.__context__ = None
        _keep_user_frames(users, os.path.abspath(script), shown or script, set())
        text = "".join(users.format())
        if isinstance(error, ImportError):
            text += _lacking(error)
    except Exception as another:  # a user's __str__ or __repr__ may do anything
        full = text = f"{name}: {message}\n(the traceback can't be made: {type(another).__name__})\n"
    return ExceptionInfo(name, message[:LONGEST], text[-LONGEST:], full[-LONGEST:])


def _lacking(error: ImportError) -> str:
    from reflow.sdk.alias import lacking

    said = lacking(error)
    return f"{said}\n" if said else ""


def _keep_user_frames(found: object, script: str, shown: str, seen: set[int]) -> None:
    """Drop Reflow's own frames, in the exception, its causes and its group's members."""
    import traceback

    if not isinstance(found, traceback.TracebackException) or id(found) in seen:
        return
    seen.add(id(found))
    shown_ones = are_users(frame.filename for frame in found.stack)
    frames = [frame for frame, is_shown in zip(found.stack, shown_ones, strict=True) if is_shown]
    for frame in frames:
        if os.path.abspath(frame.filename) == script:
            frame.line  # noqa: B018  (read from the file under its true name, before it's renamed)
            frame.filename = shown
    found.stack = traceback.StackSummary.from_list(frames)
    for inner in (found.__cause__, found.__context__, *(found.exceptions or ())):
        _keep_user_frames(inner, script, shown, seen)


def are_users(filenames: Iterable[str]) -> list[bool]:
    """Which frames of a stack are a user's: neither Reflow's, nor of what it calls in the standard library itself."""
    found: list[bool] = []
    is_ours = False
    for name in filenames:
        is_ours = is_runtime(name) or (is_ours and name.startswith(_STANDARD) and "site-packages" not in name)
        found.append(not is_ours)
    return found


def is_runtime(filename: str) -> bool:
    """Whether a frame is Reflow's, or the import system's, and so no help to a user."""
    return filename.startswith((RUNTIME, "<frozen "))


def _type_name(kind: type) -> str:
    if kind.__module__ in ("builtins", "__main__") or kind.__module__.startswith("reflow."):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def has_user_frames(trace: TracebackType | None) -> bool:
    """Whether any of the frames is a user's."""
    filenames = []
    while trace is not None:
        filenames.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    return any(are_users(filenames))
