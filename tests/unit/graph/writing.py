"""Flows in a few words.

`write("start -> a, b", "a -> join", "b -> join", "join* -> end")` is a script's text: `a -> b foreach xs` is a
foreach, `s -> x: a, y: b switch v` a switch; a `*` after the name makes a step take inputs; `end` is added.
"""

from __future__ import annotations

from reflow.graph.build import from_text
from reflow.graph.types import Graph

HEAD = "from reflow import FlowSpec, step\n\n\nclass MyFlow(FlowSpec):\n"


def write(*lines: str, end: str = "end") -> str:
    """The script."""
    return HEAD + "".join(_step(line) for line in (*lines, *([end] if end else [])))


def graph(*lines: str, end: str = "end") -> Graph:
    """Its graph."""
    return from_text(write(*lines, end=end), "flow.py").graph


def _step(line: str) -> str:
    head, _, rest = line.partition(" -> ")
    name = head.strip().rstrip("*")
    arguments = "self, inputs" if "*" in head else "self"
    return f"    @step\n    def {name}({arguments}):\n        {_next(rest.strip()) if rest else 'pass'}\n\n"


def _next(rest: str) -> str:
    targets, _, foreach = rest.partition(" foreach ")
    if foreach:
        return f"self.next(self.{targets}, foreach={foreach!r})"
    targets, _, condition = rest.partition(" switch ")
    if condition:
        cases = (case.split(": ") for case in targets.split(", "))
        written = ", ".join(f"{case!r}: self.{target}" for case, target in cases)
        return f"self.next({{{written}}}, condition={condition!r})"
    return f"self.next({', '.join(f'self.{target}' for target in rest.split(', '))})"
