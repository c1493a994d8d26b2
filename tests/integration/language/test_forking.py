"""A forked task can't be told from a fresh process by its random numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.local.laptop import Laptop

SCRIPT = """
import random
{made}
from reflow import FlowSpec, step

class Drawing(FlowSpec):
    @step
    def start(self):
        self.items = [1, 2, 3]
        self.next(self.draw, foreach="items")

    @step
    def draw(self):
        self.drawn = {draw}
        self.next(self.join)

    @step
    def join(self, inputs):
        print("drawn", len(set(i.drawn for i in inputs)))
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Drawing()
"""


@pytest.mark.parametrize(
    ("made", "draw", "different"),
    [
        ("g = random.Random()", "g.random()", 3),
        ("g = random.Random(3)", "g.random()", 1),
        ("", "random.random()", 3),
        ("random.seed(3)", "random.random()", 1),
        ("class Held:\n    g = random.Random()", "Held.g.random()", 3),
    ],
)
def test_generators_of_the_script_are_as_in_a_fresh_process(
    each_way: Laptop, made: str, draw: str, different: int
) -> None:
    script = each_way.write("drawing.py", SCRIPT.format(made=made, draw=draw))
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert f"drawn {different}" in played.said


@pytest.mark.parametrize(
    ("made", "draw", "different"),
    [
        ("g = numpy.random.default_rng()", "g.random()", 3),
        ("g = numpy.random.default_rng(5)", "g.random()", 1),
        ("g = numpy.random.RandomState()", "g.random()", 3),
        ("g = numpy.random.RandomState(5)", "g.random()", 1),
        ("", "numpy.random.rand()", 3),
        ("import pandas", "numpy.random.rand()", 3),
        ("import pandas", "pandas.Series(range(10**9, 10**9 + 10**6)).sample(1).iloc[0]", 3),
        ("numpy.random.seed(5)", "numpy.random.rand()", 1),
    ],
)
def test_numpys_generators_too(each_way: Laptop, made: str, draw: str, different: int) -> None:
    numpy = pytest.importorskip("numpy", reason="no numpy here: `make setup` installs it")
    each_way.environ = {"PYTHONPATH": str(Path(numpy.__file__).parents[1])}
    script = each_way.write("drawing.py", SCRIPT.format(made=f"import numpy\n{made}", draw=f"float({draw})"))
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert f"drawn {different}" in played.said
