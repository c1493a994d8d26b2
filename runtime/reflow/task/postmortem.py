"""pdb at the exception that ended a step, in the user's frame."""

from __future__ import annotations

import os
import sys
import sysconfig
from pdb import Pdb
from types import TracebackType
from typing import Any

from reflow.task.trace import is_runtime

_LIBRARIES = tuple(
    {os.path.realpath(path) for path in (sysconfig.get_paths()["stdlib"], os.path.dirname(os.__file__))}
)


class AtUsersFrame(Pdb):
    """pdb that opens in the innermost frame that is neither Python's library's nor a package's; `down` goes further."""

    def setup(self, f: Any, tb: Any) -> None:
        super().setup(f, tb)
        place = self.curindex
        while place > 0 and is_library(self.stack[place][0].f_code.co_filename):
            place -= 1
        if not is_library(self.stack[place][0].f_code.co_filename):
            self.curindex = place
            self.curframe = self.stack[place][0]
            self.curframe_locals = self.curframe.f_locals


def is_library(filename: str) -> bool:
    """Whether code is an installed package's or Python's own, or made up at run time."""
    if filename.startswith("<") or "-packages" + os.sep in filename:
        return True
    return os.path.realpath(filename).startswith(_LIBRARIES)


def users_part(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without Reflow's frames at its beginning; None where there are no others."""
    while trace is not None and is_runtime(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def post_mortem(error: BaseException) -> None:
    """Open pdb where the exception was raised, unless that wasn't below the user's code, or pdb was just left."""
    import bdb

    trace = users_part(error.__traceback__)
    if trace is None or isinstance(error, bdb.BdbQuit):
        return
    debugger = AtUsersFrame()
    debugger.reset()
    debugger.interaction(None, trace)
    sys.stdout.flush()
