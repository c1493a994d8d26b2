"""What is wrong with a graph, told with file, line and what to do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reflow.graph.build import from_text
from reflow.graph.lint import check, require_sound
from reflow.graph.script import read_source
from reflow.graph.types import Graph
from reflow.values.errors import FlowError
from tests.unit.graph.writing import HEAD, graph, write


def problems(text: str) -> list[FlowError]:
    return check(read_source(text, "flow.py"))


def one(text: str) -> FlowError:
    found = problems(text)
    assert len(found) == 1, [str(error) for error in found]
    return found[0]


def with_line(line: str) -> str:
    """A flow whose start ends in this line, with steps a, b and end."""
    start = f"    @step\n    def start(self):\n        {line}\n\n"
    return HEAD + start + write("a -> end", "b -> end").removeprefix(HEAD)


SOUND = [
    ("start -> end",),
    ("start -> a, b", "a -> join", "b -> join", "join* -> end"),
    ("start -> a foreach xs", "a -> join", "join* -> end"),
    ("start -> a foreach xs", "a -> b foreach ys", "b -> inner", "inner* -> outer", "outer* -> end"),
    ("start -> x: a, y: b switch v", "a -> m", "b -> m", "m -> end"),
    ("start -> x: a, y: end switch v", "a -> end"),
    ("start -> a", "a -> again: a, done: end switch v"),
    ("start -> a", "a -> b", "b -> again: a, done: end switch v"),
    ("start -> head", "head -> go: body, done: end switch v", "body -> head"),
    ("start -> a, b", "a -> x: c, y: join switch v", "c -> join", "b -> join", "join* -> end"),
    ("start -> a, join", "a -> join", "join* -> end"),
    ("start -> f", "f -> a foreach xs", "a -> join", "join* -> again: f, done: end switch v"),
    ("start -> a foreach xs", "a -> again: a, done: j switch v", "j* -> end"),
    ("start -> o", "o -> i", "i -> in: i, out: x switch v", "x -> again: o, done: end switch w"),
]


@pytest.mark.parametrize("lines", SOUND, ids=lambda lines: "; ".join(lines))
def test_sound_flows_have_no_problem(lines: tuple[str, ...]) -> None:
    assert problems(write(*lines)) == []
    require_sound(graph(*lines))


def test_an_end_that_takes_inputs_is_a_join() -> None:
    assert problems(write("start -> a, b", "a -> end", "b -> end", end="end*")) == []


WRONG = [
    (write("first -> end"), r"no step 'start'.*add one", 4),
    (write("start -> start", end=""), r"no step 'end'.*self\.next\(self\.end\)", 4),
    (HEAD + "    pass\n", r"has no steps", 4),
    (write("start -> end", "alone -> end"), r"Nothing leads to step 'alone'", 10),
    (write("start -> traim", "train -> end"), r"'traim', which is not a step.*Did you mean 'train'\?", 7),
    (write("start -> zzz"), r"'zzz', which is not a step.*steps are start, end", 7),
    (write("start -> a", "a"), r"'a' has no self\.next", 10),
    (write("start -> end", end="end -> start"), r"'end' is the last one", 11),
    (with_line("self.next(self.a); self.next(self.b)"), r"has 2 calls of self\.next", 7),
    (with_line("if self.x: self.next(self.a)"), r"has to be its last statement", 7),
    (with_line("self.next(self.a); self.y = 1"), r"has to be its last statement", 7),
    (with_line("self.next(self.a, self.a)"), r"goes to 'a' twice", 7),
    (with_line("self.next(self.a, self.b, foreach='xs')"), r"goes to 2 steps. A foreach goes to one", 7),
    (with_line("self.next(self.a, foreach='')"), r"can't be an artifact's name.*foreach='items'", 7),
    (with_line("self.next(self.a, foreach=xs)"), r"foreach= takes the name of an artifact in quotes", 7),
    (with_line("self.next({'x': self.a}, condition='v')"), r"fewer than two cases", 7),
    (with_line("self.next({'x': self.a, 'y': self.b})"), r"needs condition=", 7),
    (with_line("self.next(self.a, condition='v')"), r"needs a dictionary of cases", 7),
    (with_line("self.next({1: self.a, '1': self.b}, condition='v')"), r"has the case 1 twice", 7),
    (with_line("self.next({X: self.a, 'y': self.b}, condition='v')"), r"have to be written out", 7),
    (with_line("self.next({'x': self.a, 'y': self.b}, condition='a b')"), r"can't be an artifact's name", 7),
    (with_line("self.next(self.a, foreach='x', condition='y')"), r"not both", 7),
    (with_line("self.next(self.a, more=1)"), r"not more=", 7),
    (with_line("self.next()"), r"names no step", 7),
    (with_line("self.next(getattr(self, 'a'))"), r"written as self\.<step>", 7),
    (with_line("self.next(self.a, foreach='x', num_parallel=4)"), r"takes one of foreach=", 7),
    (write("start -> next", "next -> end"), r"can't be called 'next'.*Rename", 10),
    (write("start -> _a", "_a -> end"), r"can't be called '_a'", 10),
    (write("start -> Train", "Train -> end"), r"small letters", 10),
    (write("start -> end").replace("def start(self)", "def start(self, a, b)"), r"wrong arguments", 6),
    (write("start -> end").replace("def start(self)", "def start(self, *, a)"), r"wrong arguments", 6),
    (write("start -> end").replace("def start", "async def start"), r"async", 6),
    (with_line("self.next([(yield 1)])"), r"'start' has a yield.*never run", 6),
    (
        write("start -> end")
        .replace("FlowSpec, step", "FlowSpec, retry, step")
        .replace("    @step", "    @retry\n    @retry(times=2)\n    @step", 1),
        r"@retry more than",
        8,
    ),
    # Joins
    (write("start* -> end"), r"takes inputs but has nothing to join.*def start\(self\)", 6),
    (write("start -> a", "a* -> end"), r"'a' takes inputs but has nothing to join", 10),
    (
        write("start -> a, b", "a -> join", "b -> join", "join -> end"),
        r"'join' the branches 'a' and 'b' of the split in 'start' meet"
        r".*takes no inputs.*def join\(self, inputs\)",
        18,
    ),
    (write("start -> a, b", "a -> end", "b -> end"), r"'end' the branches 'a' and 'b'.*takes no inputs", 18),
    (write("start -> a foreach xs", "a -> join", "join -> end"), r"foreach in 'start' is never joined", 18),
    (write("start -> a foreach xs", "a -> end"), r"foreach in 'start' is never joined", 14),
    (write("start -> j foreach xs", "j* -> end"), r"goes straight to 'j'", 10),
    (
        write("start -> a, b", "a -> c, d", "c -> join", "d -> join", "b -> join", "join* -> end"),
        r"'join' is reached from .* different branches or splits",
        26,
    ),
    (
        write("start -> a, b, c", "a -> j", "b -> j", "c -> end", "j* -> end"),
        r"'j' joins the split in 'start', but doesn't get all of its branches: 'c'",
        22,
    ),
    # Loops
    (write("start -> a", "a -> start"), r"start → a → start go round in a circle", 6),
    (
        write("start -> x: a, y: b switch v", "a -> x: b, y: end switch v", "b -> x: a, y: end switch v"),
        r"can also be entered elsewhere",
        14,
    ),
    # Policies
    (
        write("start -> end")
        .replace("@step", "@retry(times='x')\n    @step", 1)
        .replace("FlowSpec, step", "FlowSpec, step, retry"),
        r"@retry needs a number",
        7,
    ),
    (
        write("start -> end")
        .replace("@step", "@timeout\n    @step", 1)
        .replace("FlowSpec, step", "FlowSpec, step, timeout"),
        r"@timeout needs seconds",
        7,
    ),
    (
        write("start -> a foreach xs", "a -> j", "j* -> end")
        .replace("@step", "@catch\n    @step", 1)
        .replace("FlowSpec, step", "FlowSpec, step, catch"),
        r"'start' has @catch, but .* foreach",
        7,
    ),
]


@pytest.mark.parametrize(("text", "message", "line"), WRONG, ids=[message for _, message, _ in WRONG])
def test_what_is_wrong_is_told_with_its_line(text: str, message: str, line: int) -> None:
    found = problems(text)
    first = found[0]
    assert re.search(message, first.reason), [str(error) for error in found]
    assert (first.file, first.line) == ("flow.py", line)
    with pytest.raises(FlowError):
        from_text(text, "flow.py")


def test_a_missing_end_of_a_loop_is_told() -> None:
    found = problems(write("start -> x: a, y: end switch v", "a -> x: a, y: b switch v", "b -> a"))
    assert [error.reason[:40] for error in found] == [
        "No way leads from step 'a' to step 'end'",
        "No way leads from step 'b' to step 'end'",
    ]


def test_a_split_with_two_joins_is_told() -> None:
    text = write(
        "start -> a, b",
        "a -> x: j, y: k switch v",
        "b -> x: j, y: k switch v",
        "j* -> end",
        "k* -> end",
    )
    assert "joined in 'j' and 'k'" in one(text).reason


def test_a_missing_join_does_not_also_count_as_never_joined() -> None:
    one(write("start -> a, b", "a -> join", "b -> join", "join -> end"))


def test_all_problems_are_listed_and_the_first_is_raised_with_the_number_of_others() -> None:
    text = write("start -> a", "a", "b")
    assert len(problems(text)) == 2
    with pytest.raises(
        FlowError, match=r"^flow.py:10: Step 'a' has no self.next.*\(1 more problem after that\.\)$"
    ):
        from_text(text, "flow.py")


def test_a_graph_from_elsewhere_is_checked_before_it_is_believed() -> None:
    sound = graph("start -> a, b", "a -> j", "b -> j", "j* -> end")
    steps = dict(sound.steps)
    with pytest.raises(FlowError, match="no step 'end'"):
        require_sound(Graph("F", {"start": replace(steps["start"], targets=())}))
    with pytest.raises(FlowError, match="'x', which is not a step"):
        require_sound(Graph("F", {**steps, "a": replace(steps["a"], targets=("x",))}))
    with pytest.raises(FlowError, match="takes no inputs"):
        require_sound(Graph("F", {**steps, "j": replace(steps["j"], is_join=False)}))
