"""Where a step's code sets an artifact: for messages about one that can't be kept."""

from __future__ import annotations

import dis
from types import CodeType


def line_that_sets(code: CodeType, name: str) -> int | None:
    """The line on which the code of a step sets `self.<name>`, None where that is none or several."""
    found: set[int] = set()
    line = code.co_firstlineno
    for instruction in dis.get_instructions(code):
        line = instruction.starts_line or line
        if instruction.opname == "STORE_ATTR" and instruction.argval == name:
            found.add(line)
    return found.pop() if len(found) == 1 else None
