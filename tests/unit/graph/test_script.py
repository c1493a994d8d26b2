"""Reading a script by its syntax tree."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from reflow.graph.build import Unsettled, from_text
from reflow.graph.script import MAX_SOURCE, read_source
from reflow.graph.source import DoesNotParse, FlowSource
from reflow.graph.types import Decorator, Kind
from reflow.values.errors import FlowError

SEED = """
from metaflow import FlowSpec, step

class DebugFlow(FlowSpec):

    @step
    def start(self):
        self.next(self.a, self.b)

    @step
    def a(self):
        self.x = 1
        self.next(self.join)

    @step
    def b(self):
        self.x = int('2fail')
        self.next(self.join)

    @step
    def join(self, inputs):
        print('total is %d' % sum(input.x for input in inputs))
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == '__main__':
    DebugFlow()
"""

BODY = """
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def read(text: str) -> FlowSource:
    return read_source(text, "flow.py")


NAMES = "from reflow import FlowSpec, JSONType, Parameter, catch, resources, retry, step"


def flow(head: str = NAMES, base: str = "FlowSpec", name: str = "F", body: str = BODY) -> str:
    return f"{head}\nclass {name}({base}):{body}\n"


def test_the_seeds_flow_is_read_whole() -> None:
    graph = from_text(SEED, "debug.py").graph
    assert graph.flow == "DebugFlow"
    assert list(graph.steps) == ["start", "a", "b", "join", "end"]
    assert graph.steps["start"].kind is Kind.SPLIT
    assert graph.steps["join"].is_join
    assert graph.steps["join"].joins == "start"
    assert graph.steps["b"].line == 16
    assert graph.sources["join"] == ("a", "b")


@pytest.mark.parametrize(
    ("head", "base", "marker"),
    [
        ("from reflow import FlowSpec, step", "FlowSpec", "step"),
        ("from metaflow import FlowSpec as Base, step as task", "Base", "task"),
        ("import reflow", "reflow.FlowSpec", "reflow.step"),
        ("import metaflow as mf", "mf.FlowSpec", "mf.step"),
        ("from reflow import *", "FlowSpec", "step"),
        ("from reflow.sdk import FlowSpec, step", "FlowSpec", "step"),
        (
            "try:\n    from metaflow import FlowSpec, step\n"
            "except ImportError:\n    from reflow import FlowSpec, step",
            "FlowSpec",
            "step",
        ),
    ],
)
def test_every_way_to_import_is_understood(head: str, base: str, marker: str) -> None:
    source = read(flow(head, base, body=BODY.replace("@step", f"@{marker}")))
    assert [step.name for step in source.steps] == ["start", "end"]


def test_decorators_are_kept_innermost_first_with_their_literal_attributes() -> None:
    body = BODY.replace(
        "    @step\n    def start",
        "    @retry(times=2)\n    @resources(cpu=-1, memory=16 * 1024, tags=('a', {'b': None}))\n"
        "    @catch\n    @step\n    def start",
    )
    (start, _) = read(flow(body=body)).steps
    assert start.decorators == (
        Decorator("catch"),
        Decorator("resources", {"cpu": -1, "memory": 16384, "tags": ["a", {"b": None}]}),
        Decorator("retry", {"times": 2}),
    )


def test_docstrings_are_kept() -> None:
    body = BODY.replace("(self):\n        pass", "(self):\n        '''The end.\n\n        Really.'''")
    assert read(flow(body=body)).steps[1].doc == "The end.\n\nReally."


def test_inherited_steps_of_the_same_file_come_first_and_can_be_replaced() -> None:
    text = flow(name="Base") + (
        "class F(Base):\n    @step\n    def middle(self):\n        self.next(self.end)\n"
        "    @step\n    def start(self):\n        self.next(self.middle)\n"
        "if __name__ == '__main__':\n    F()\n"
    )
    source = read(text)
    assert source.flow == "F"
    assert [step.name for step in source.steps] == ["end", "middle", "start"]


def test_a_step_replaced_by_a_plain_method_is_no_step() -> None:
    text = flow(body=BODY + "    @step\n    def x(self):\n        pass\n    def x(self):\n        pass\n")
    assert [step.name for step in read(text).steps] == ["start", "end"]


def test_parameters_are_listed_with_what_can_be_told_of_them() -> None:
    body = (
        "\n    alpha = Parameter('alpha', type=float, default=0.1, help='How fast')\n"
        "    when: str = Parameter('date', default=lambda context: 'today', required=True)\n"
        "    config = Parameter('config', type=JSONType)\n"
        "    text = IncludeFile('text', is_text=True)\n"
        "    constant = make('x')\n" + BODY
    )
    alpha, when, config, text = read(flow(head=NAMES + ", IncludeFile", body=body)).parameters
    assert (alpha.name, alpha.attributes) == ("alpha", {"type": "float", "default": 0.1, "help": "How fast"})
    assert (when.name, when.attribute, when.deferred) == ("date", "when", ("default",))
    assert when.attributes == {"required": True}
    assert config.attributes == {"type": "JSONType"}
    assert (text.kind, text.line) == ("IncludeFile", 6)


@pytest.mark.parametrize(
    ("text", "flow_name"),
    [
        (flow(name="A") + flow(name="B") + "if __name__ == '__main__':\n    B()\n", "B"),
        (flow(name="A") + flow(name="B") + "A()\n", "A"),
        (flow(name="A") + flow(name="B") + "def main():\n    A()\nmain()\n", "A"),
        (flow(name="A"), "A"),
    ],
)
def test_the_flow_is_the_one_that_is_started(text: str, flow_name: str) -> None:
    assert read(text).flow == flow_name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (flow(name="A") + flow(name="B"), "several flow classes"),
        (flow(name="A") + flow(name="B") + "A()\nB()\n", "several flow classes"),
        ("from flows import MyFlow\nif __name__ == '__main__':\n    MyFlow()\n", "another module"),
        (flow(head="from base import Base", base="Base"), "another module"),
        (flow(head="from reflow import *\nfrom base import Mixin", base="FlowSpec, Mixin"), "another module"),
        (flow(base="FlowSpec, metaclass=M"), "metaclass"),
        ("from reflow import FlowSpec, step\n@mutate\nclass F(FlowSpec):" + BODY, "isn't one of Reflow's"),
        (flow(body=BODY.replace("@step", "@mine\n    @step", 1)), "isn't one of Reflow's"),
        (flow(body=BODY.replace("@step", "@retry(times=N)\n    @step", 1)), "known only by running"),
        (flow(body=BODY.replace("@step", "@retry(times=10 ** 10)\n    @step", 1)), "known only by running"),
        (flow(body=BODY.replace("@step", "@retry(**more)\n    @step", 1)), "name=value"),
        (flow(body=BODY.replace("@step", "@step(start=FIRST)", 1)), "what @step is given is known only"),
        (flow(body=BODY.replace("@step", "@step(begin=True)", 1)), "what @step is given is known only"),
        (
            flow(body="\n    for name in 'ab':\n        @step\n        def x(self):\n            pass\n"),
            "running code",
        ),
        (flow(body=BODY + "    other = step(function)\n"), "running code"),
        (flow(body=BODY + "    exec('x')\n"), "running code"),
        (flow() + "setattr(F, 'x', 1)\n", "changed after"),
        (flow() + "F.start = other\n", "changed after"),
        (flow(body="\n    p = Parameter(NAME)\n" + BODY), "known only by running"),
        (
            "from reflow import *\nif True:\n    class F(FlowSpec):\n        pass\n",
            "within another statement",
        ),
        (flow() + "#" * MAX_SOURCE, "larger than 128 KiB"),
        (flow() + "x = " + "-" * 50_000 + "1", "nested too deeply"),
        (flow() + "x = y" + ".a" * 30_000, "nested too deeply"),
        (flow() + "x = [" + "1," * 60_000 + "]", ""),
    ],
)
def test_what_the_tree_does_not_settle_is_not_guessed(text: str, reason: str) -> None:
    if not reason:
        assert read(text).flow == "F"
        return
    with pytest.raises(Unsettled, match=reason):
        read(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [("x =", 1), ("a = 1\n  b = 2\n", 2), ("\0", None), ("(" * 5000, 1), ("x = '\\udc80", 1)],
)
def test_what_is_not_python_says_where(text: str, line: int | None) -> None:
    with pytest.raises(DoesNotParse) as caught:
        read(text)
    assert caught.value.file == "flow.py"
    assert caught.value.line == line


@pytest.mark.parametrize("text", ["", "x = 1", "class F:\n    pass\n", "from reflow import step\n"])
def test_a_script_without_a_flow_is_refused(text: str) -> None:
    with pytest.raises(FlowError, match="not a flow: it has no class that derives from FlowSpec"):
        read(text)


def test_a_decorator_below_step_is_refused_with_its_line() -> None:
    with pytest.raises(FlowError, match=r"flow.py:4: .*below @step"):
        read(flow(body=BODY.replace("@step", "@step\n    @retry", 1)))


def test_warnings_about_the_users_text_stay_quiet() -> None:
    assert read(flow() + "x = '\\d'\n").flow == "F"


def test_only_the_functions_own_next_counts() -> None:
    body = BODY.replace(
        "        self.next(self.end)",
        "        def other(self):\n            self.next(self.start)\n"
        "        it = iter([1]); next(it); it.next(1)\n        self.next(self.end)",
    )
    assert len(read(flow(body=body)).steps[0].calls) == 1


def test_self_may_have_another_name() -> None:
    body = BODY.replace("self", "me")
    assert from_text(flow(body=body), "f.py").graph.steps["start"].targets == ("end",)


class _Freed:
    """Its end is found by the collector, which may come in the middle of a syntax tree and lets other threads in."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(50):
            pass


def test_scripts_are_read_in_many_threads_at_once() -> None:
    def read(_: int) -> set[str]:
        found = set()
        for _ in range(20):
            for _ in range(20):
                _Freed()
            found.add(read_source(SEED, "debug.py").flow)
        return found

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(read, range(8))) == [{"DebugFlow"}] * 8
    finally:
        sys.setswitchinterval(interval)
