"""A flow object where no task runs, and what a running one does to attributes."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from reflow import FlowSpec, Parameter, current, step
from reflow.graph.types import Graph, Kind, Step
from reflow.sdk.flowspec import STATE, constants_of
from reflow.sdk.state import TaskState
from reflow.values.key import TaskKey


class Sample(FlowSpec):
    """A flow."""

    alpha = Parameter("alpha", default=2)
    limit = 7
    _private = 1

    @step
    def start(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass

    @property
    def doubled(self) -> int:
        return 2 * self.limit

    @doubled.setter
    def doubled(self, value: int) -> None:
        self.half = value // 2


GRAPH = Graph("Sample", {"start": Step("start", Kind.LINEAR, ("end",)), "end": Step("end", Kind.END)})


def running(**parameters: Any) -> Sample:
    flow = Sample(use_cli=False)
    state = TaskState(
        graph=GRAPH,
        key=TaskKey("start"),
        parameters=parameters,
        records=None,  # type: ignore[arg-type]
        before=None,
    )
    flow.__dict__[STATE] = state
    return flow


def test_its_steps_are_listed_outside_of_a_task_too() -> None:
    assert [(one.name, one.line > 0) for one in Sample(use_cli=False)] == [("start", True), ("end", True)]


def test_constants_are_plain_values_of_the_class() -> None:
    assert constants_of(Sample) == {"limit": 7}


def test_a_parameter_has_its_value_from_the_run_and_its_default_without_one() -> None:
    assert running(alpha=5).alpha == 5
    assert Sample(use_cli=False).alpha == 2
    assert isinstance(Sample.alpha, Parameter)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("alpha", "a parameter of the flow"),
        ("limit", "a constant of the class"),
        ("end", "is a step of Sample"),
        ("next", "is a method"),
        ("input", "can only be read"),
    ],
)
def test_what_the_class_has_cannot_be_set(name: str, words: str) -> None:
    with pytest.raises(AttributeError, match=words):
        setattr(running(), name, 1)


def test_a_property_of_the_users_own_can_be_set() -> None:
    flow = running()
    flow.doubled = 6
    assert flow.half == 3
    assert flow.doubled == 14


def test_what_is_not_there_says_in_which_step() -> None:
    with pytest.raises(AttributeError, match="no artifact 'nothing' in step start"):
        running().nothing  # noqa: B018
    with pytest.raises(AttributeError, match="no artifact 'nothing'"):
        del running().nothing


def test_a_flow_object_cannot_be_pickled_or_copied() -> None:
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(running())
    with pytest.raises(TypeError, match="can't be pickled"):
        copy.copy(running())


def test_a_flow_object_outside_of_a_task_says_so() -> None:
    flow = Sample(use_cli=False)
    with pytest.raises(RuntimeError, match="only in a running step"):
        flow.next(flow.end)
    flow.x = 1
    assert flow.x == 1
    assert flow.name == "Sample"


def test_a_second_next_is_refused() -> None:
    flow = running()
    flow.next(flow.end)
    with pytest.raises(Exception, match="twice"):
        flow.next(flow.end)


def test_current_is_empty_where_no_task_runs() -> None:
    assert not current.is_running_flow
    assert current.run_id is None
    assert current.tags == frozenset()
    assert current.get("card", "none") == "none"
    assert repr(current) == "<current: no task>"
