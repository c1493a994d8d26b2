"""The flows that are measured, as text: one source for Reflow and for Metaflow."""

from __future__ import annotations

from collections.abc import Sequence

_FAN = """\
from {package} import FlowSpec, step


class FanFlow(FlowSpec):
    @step
    def start(self):
        self.numbers = list(range({width}))
        self.next(self.work, foreach="numbers")

    @step
    def work(self):
        self.square = self.input * self.input
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.square for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        print("the total is", self.total)


if __name__ == "__main__":
    FanFlow()
"""

_RESUMED = """\
import os
import time

from reflow import FlowSpec, step


class ResumedFlow(FlowSpec):
    @step
    def start(self):
        self.numbers = list(range({width}))
        self.next(self.work, foreach="numbers")

    @step
    def work(self):
        self.square = self.input * self.input
        self.next(self.join)

    @step
    def join(self, inputs):
        {join}
        self.total = sum(each.square for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        print("the total is", self.total)


if __name__ == "__main__":
    ResumedFlow()
"""

STAMP = "BENCH_STAMP"  # the environment's variable that names the file for the user code's own time


def total(width: int) -> int:
    """What FanFlow finds."""
    return sum(number * number for number in range(width))


def fan(package: str, width: int, imports: Sequence[str] = ()) -> str:
    """A foreach over `width` trivial tasks and a join; `imports`: modules that the script imports first."""
    return _importing(imports) + _FAN.format(package=package, width=width)


def _importing(imports: Sequence[str]) -> str:
    return "".join(f"import {module}\n" for module in imports)


def failing(width: int) -> str:
    """A foreach whose join fails."""
    return _RESUMED.format(width=width, join='raise ValueError("not yet")')


def stamping(width: int) -> str:
    """The same, repaired: the join first writes down the time."""
    return _RESUMED.format(
        width=width, join=f'open(os.environ.get("{STAMP}", os.devnull), "w").write(repr(time.time()))'
    )


def mended(width: int) -> str:
    """The same, repaired."""
    return _RESUMED.format(width=width, join="pass")


def chain(
    package: str,
    steps: int,
    body: str = "self.count = getattr(self, 'count', 0) + 1",
    imports: Sequence[str] = (),
) -> str:
    """`steps` trivial steps one after another; `body` is run in each."""
    names = ["start", *(f"step{number:02d}" for number in range(1, steps - 1)), "end"]
    lines = ["import os", "import time", "", f"from {package} import FlowSpec, step", "", ""]
    lines += ["class ChainFlow(FlowSpec):"]
    for name, following in zip(names, [*names[1:], None], strict=True):
        lines += ["    @step", f"    def {name}(self):", f"        {body}"]
        lines += [f"        self.next(self.{following})", ""] if following else [""]
    return _importing(imports) + "\n".join([*lines, "", 'if __name__ == "__main__":', "    ChainFlow()", ""])
