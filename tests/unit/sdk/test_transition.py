"""Every form of `self.next`, and whether it is what the source says."""

from __future__ import annotations

from typing import Any

import pytest

from reflow import FlowSpec, InvalidNextException, step
from reflow.graph.types import Kind, Step
from reflow.sdk.transition import Transition, check_transition, read_next


class Sample(FlowSpec):
    @step
    def a(self) -> None:
        pass

    @step
    def b(self) -> None:
        pass

    def helper(self) -> None:
        pass


@pytest.fixture
def flow() -> Sample:
    sample = Sample(use_cli=False)
    sample.xs = [1, 2]
    sample.none = []
    sample.number = 3
    sample.way = "left"
    sample.flag = True
    return sample


def test_one_step_several_steps_and_a_foreach(flow: Any) -> None:
    assert read_next(flow, "s", (flow.a,), {}) == Transition(Kind.LINEAR, ("a",))
    assert read_next(flow, "s", (flow.a, flow.b), {}) == Transition(Kind.SPLIT, ("a", "b"))
    told = read_next(flow, "s", (flow.a,), {"foreach": "xs"})
    assert (told.kind, told.foreach, told.items) == (Kind.FOREACH, "xs", [1, 2])


def test_a_switch_says_which_case_it_chose(flow: Any) -> None:
    told = read_next(flow, "s", ({"left": flow.a, "right": flow.b},), {"condition": "way"})
    assert told.case == "left"
    assert told.cases == (("left", "a"), ("right", "b"))
    assert read_next(flow, "s", ({True: flow.a, False: flow.b},), {"condition": "flag"}).case == "True"


@pytest.mark.parametrize(
    ("targets", "options", "words"),
    [
        (lambda f: (), {}, "names no step"),
        (lambda f: (f.a, f.a), {}, "same step twice"),
        (lambda f: (f.helper,), {}, "isn't a step"),
        (lambda f: ("a",), {}, "isn't a step"),
        (lambda f: (Sample(use_cli=False).a,), {}, "of something else"),
        (lambda f: (f.a, f.b), {"foreach": "xs"}, "goes to one step"),
        (lambda f: (f.a,), {"foreach": [1]}, "as text"),
        (lambda f: (f.a,), {"foreach": "nowhere"}, "there is no self.nowhere"),
        (lambda f: (f.a,), {"foreach": "none"}, "self.none is empty"),
        (lambda f: (f.a,), {"foreach": "number"}, "is of type int"),
        (lambda f: (f.a,), {"num_parallel": 0}, "a whole number, 1 or more"),
        (lambda f: ({"left": f.a},), {}, "a switch is written as"),
        (lambda f: (f.a,), {"condition": "way"}, "a switch is written as"),
        (
            lambda f: ({"x": f.a, "y": f.b},),
            {"condition": "way"},
            "self.way is 'left', and the switch knows only",
        ),
        (lambda f: ({"x": f.a, "y": f.b},), {"condition": "xs"}, "the switch knows only"),
        (lambda f: ({"x": f.a},), {"condition": "nowhere"}, "there is no self.nowhere"),
        (lambda f: ({"x": f.a},), {"condition": "way", "foreach": "xs"}, "not both"),
    ],
)
def test_what_leads_nowhere_is_refused_in_words(
    flow: Any, targets: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidNextException, match=words):
        read_next(flow, "s", targets(flow), options)


STEP = Step("s", Kind.LINEAR, ("a",))


def test_a_transition_must_be_the_sources() -> None:
    check_transition(Transition(Kind.LINEAR, ("a",)), STEP)
    check_transition(None, Step("end", Kind.END))
    with pytest.raises(InvalidNextException, match="went on to b, but by its source it goes to a"):
        check_transition(Transition(Kind.LINEAR, ("b",)), STEP)
    with pytest.raises(InvalidNextException, match=r"ended without self\.next"):
        check_transition(None, STEP)
    with pytest.raises(InvalidNextException, match="the last one"):
        check_transition(Transition(Kind.LINEAR, ("a",)), Step("end", Kind.END))
