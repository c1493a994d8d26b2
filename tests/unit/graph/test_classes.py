"""The graph of a class that a process has loaded equals the graph of its script's text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from reflow.graph.build import from_class, from_text
from reflow.graph.digest import digest
from reflow.graph.types import Decorator
from reflow.values.errors import FlowError
from tests.unit.graph.test_lint import SOUND
from tests.unit.graph.test_script import BODY, flow
from tests.unit.graph.writing import HEAD, write

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Runs a script's text as a module, without its command line."""

    def loaded(text: str) -> ModuleType:
        path = tmp_path / "flow.py"
        path.write_text(text, encoding="utf-8")
        module = ModuleType("flow")
        module.__file__ = str(path)
        exec(compile(text, str(path), "exec"), module.__dict__)
        return module

    return loaded


INHERITED = (
    flow(name="Base")
    + "class F(Base):\n    @step\n    def middle(self):\n        '''Doc — ü.'''\n"
    + "        self.next(self.end)\n"
    + "    @retry(times=2)\n    @catch\n    @step\n    def start(self):\n        self.next(self.middle)\n"
    + "if __name__ == '__main__':\n    F()\n"
)
DIAMOND = (
    flow(name="Base")
    + "class A(Base):\n    @step\n    def start(self):\n        self.next(self.a)\n"
    + "class B(Base):\n    @step\n    def a(self):\n        self.next(self.end)\n"
    + "class F(A, B):\n    pass\nF\nif __name__ == '__main__':\n    F()\n"
)


@pytest.mark.parametrize("text", [*(write(*lines) for lines in SOUND), INHERITED, DIAMOND, flow()])
def test_both_ways_give_equal_graphs(text: str, load: Load) -> None:
    module = load(text)
    by_text = from_text(text, module.__dict__["__file__"]).graph
    by_class = from_class(module.__dict__[by_text.flow])
    assert by_class == by_text
    assert list(by_class.steps) == list(by_text.steps)
    assert digest(by_class) == digest(by_text)


def test_decorators_added_while_running_count(load: Load) -> None:
    cls = load(flow()).__dict__["F"]
    cls.start.__reflow_decorators__.append(Decorator("x", {"y": (1, {2})}))
    assert from_class(cls).steps["start"].decorators == (Decorator("x", {"y": [1, [2]]}),)


def test_a_wrapped_step_is_read_where_it_is_written(load: Load) -> None:
    head = (
        "import functools\nfrom reflow import FlowSpec, step\n\n"
        "def mine(function):\n    @functools.wraps(function)\n    def wrapper(self):\n        return"
        " function(self)\n"
        "    return wrapper\n"
    )
    module = load(flow(head=head, body=BODY.replace("@step", "@mine\n    @step", 1)))
    assert from_class(module.__dict__["F"]).steps["start"].targets == ("end",)


def test_a_file_that_changed_since_it_was_loaded_is_noticed(load: Load) -> None:
    module = load(write("start -> end"))
    load("# one more line\n" + write("start -> end"))
    with pytest.raises(FlowError, match="has changed since it was loaded"):
        from_class(module.__dict__["MyFlow"])


def test_a_file_that_is_gone_is_told(load: Load) -> None:
    module = load(write("start -> end"))
    Path(module.__dict__["__file__"]).unlink()
    with pytest.raises(FlowError, match="can't be read"):
        from_class(module.__dict__["MyFlow"])


def test_a_class_without_steps_is_told(load: Load) -> None:
    with pytest.raises(FlowError, match="has no steps"):
        from_class(load(HEAD + "    pass\n").__dict__["MyFlow"])


def test_what_lint_finds_is_raised_from_a_class_too(load: Load) -> None:
    module = load(write("start -> a, b", "a -> join", "b -> join", "join -> end"))
    with pytest.raises(FlowError, match=r"flow.py:18: .*takes no inputs"):
        from_class(module.__dict__["MyFlow"])
