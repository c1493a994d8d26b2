"""Ends a launcher's fresh processes when it dies without having stopped them, as a fork server does with its children.

A process of its own, run as a plain file: `python -I -S guard.py FD`. It reads pids, four bytes each: a positive one
has started, a negative one has ended. At the pipe's end the launcher is gone. It imports nothing of Reflow.
"""

import os
import signal
import struct
import sys
import time

NUMBER = struct.Struct("!i")
GRACE = 2.0  # seconds between SIGTERM and SIGKILL


def watch(descriptor: int) -> set[int]:
    """The pids that were still there when the launcher went."""
    pids: set[int] = set()
    rest = b""
    while data := os.read(descriptor, 4096):
        rest += data
        whole = len(rest) - len(rest) % NUMBER.size
        for (pid,) in NUMBER.iter_unpack(rest[:whole]):
            if pid > 0:
                pids.add(pid)
            else:
                pids.discard(-pid)
        rest = rest[whole:]
    return pids


def end(pids: set[int]) -> None:
    """Tell the process groups to end, then end them."""
    left = signalled(pids, signal.SIGTERM)
    until = time.monotonic() + GRACE
    while left and time.monotonic() < until:
        time.sleep(0.02)
        left = signalled(left, 0)
    signalled(left, signal.SIGKILL)


def signalled(pids: set[int], number: int) -> set[int]:
    """The groups that are still there."""
    left = set()
    for pid in pids:
        try:
            os.killpg(pid, number)
            left.add(pid)
        except OSError:
            pass
    return left


if __name__ == "__main__":
    end(watch(int(sys.argv[1])))
