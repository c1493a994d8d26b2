"""What Python says when native code crashes it, for its user: their own frames, as in a traceback.

`faulthandler` writes to the control pipe, in place of an outcome. It shows all frames, the last one first, also ours.
"""

from __future__ import annotations

import os
import re

from reflow.task.trace import are_users

_FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)')
_THREAD = "Current thread "


def watch_for_crashes(control: int) -> None:
    """In the task's process: a crash is told over its control pipe."""
    import faulthandler

    faulthandler.enable(control)
    # A process that the step forks has nothing to say over that pipe: what it wrote would be in the outcome's way.
    os.register_at_fork(after_in_child=lambda: faulthandler.enable(2))


def unwatch() -> None:
    """Called before the control pipe is closed."""
    import faulthandler

    faulthandler.disable()


def traceback_of(said: str, script: str, shown: str) -> str:
    """The user's frames of the thread that crashed, the last one last; empty where there are none. `script`: the flow's
    file; frames in it are shown as in `shown`."""
    frames = _frames(said)
    users = are_users(file for file, _, _ in frames)
    lines: list[str] = []
    for (file, line, name), is_users in zip(frames, users, strict=True):
        if is_users and name != "<module>":
            where = shown if os.path.abspath(file) == os.path.abspath(script) else file
            lines.append(f'  File "{where}", line {line}, in {name}')
            if source := _source(file, line):
                lines.append(f"    {source}")
    return "\n".join(["Traceback (most recent call last):", *lines, ""]) if lines else ""


def _frames(said: str) -> list[tuple[str, int, str]]:
    """File, line and function of each frame, the outermost first."""
    found: list[tuple[str, int, str]] = []
    is_it = False
    for line in said.splitlines():
        frame = _FRAME.fullmatch(line)
        if frame is None:
            is_it = line.startswith(_THREAD)
        elif is_it:
            found.append((frame["file"], int(frame["line"]), frame["name"]))
    return found[::-1]


def _source(file: str, line: int) -> str:
    import linecache

    return linecache.getline(file, line).strip()
