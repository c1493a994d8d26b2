"""Why a process ended without a word, in words."""

from __future__ import annotations

import os
import signal

from reflow.store.values import ExceptionInfo

MEMORY_EVENTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")  # cgroup v2, v1


def cause_of_death(status: int) -> ExceptionInfo:
    """`status`: as `os.waitpid` gives it."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        message = f"the task's process ended itself with exit code {code} before its step was done"
        return ExceptionInfo("ProcessExited", message, "")
    if -code == signal.SIGKILL:
        if out_of_memory():
            return ExceptionInfo(
                "OutOfMemory",
                "the task's process was killed (OOMKilled): it took more memory than it may",
                "",
            )
        message = "the task's process was killed (SIGKILL): most often because memory ran out"
        return ExceptionInfo("ProcessKilled", message, "")
    name = signal_name(-code)
    crashed = -code in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
    what = "crashed, in native code most likely" if crashed else "was ended by a signal"
    return ExceptionInfo(
        "ProcessCrashed" if crashed else "ProcessKilled", f"the task's process {what} ({name})", ""
    )


def signal_name(number: int) -> str:
    """`SIGKILL`; the commonest crash by its common name too."""
    if number == signal.SIGSEGV:
        return "SIGSEGV: segmentation fault"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def out_of_memory() -> bool:
    """Whether the kernel has killed a process of this container for its memory. False where that can't be told."""
    return any(_kills(file) > 0 for file in MEMORY_EVENTS)


def _kills(path: str) -> int:
    try:
        with open(path) as file:
            counts = dict(line.split() for line in file)
        return int(counts.get("oom_kill", 0))
    except (OSError, ValueError):
        return 0
