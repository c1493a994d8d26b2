"""Big arrays, which a pickler hands on as buffers of their own: read, kept from a failed attempt, held by the class."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.local.laptop import Laptop

SCRIPT = """
import numpy
from reflow import FlowSpec, catch, step

class Arrays(FlowSpec):
    table = numpy.arange(50_000.0)

    @step
    def start(self):
        self.x = numpy.arange(100_000.0)
        self.next(self.read)

    @step
    def read(self):
        print("read", self.x.sum(), self.table.sum())
        self.next(self.fail)

    @catch(var="why")
    @step
    def fail(self):
        self.y = numpy.ones(100_000)
        raise ValueError("no")
        self.next(self.end)

    @step
    def end(self):
        print("left", self.y.sum(), self.x.sum(), self.table.sum(), self.why.exception)

if __name__ == "__main__":
    Arrays()
"""


def test_a_step_may_read_them_fail_with_them_and_have_them_as_constants(each_way: Laptop) -> None:
    numpy = pytest.importorskip("numpy", reason="no numpy here: `make setup` installs it")
    each_way.environ = {"PYTHONPATH": str(Path(numpy.__file__).parents[1])}
    played = each_way.run(each_way.write("arrays.py", SCRIPT))
    assert played.code == 0, played.all
    assert "read 4999950000.0 1249975000.0" in played.said
    assert "left 100000.0 4999950000.0 1249975000.0 no" in played.said
