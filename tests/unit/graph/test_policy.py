"""How decorators and overrides say what happens when a step fails."""

from __future__ import annotations

import pytest

from reflow.graph.policy import policies_of, step_policy
from reflow.graph.types import Decorator
from reflow.values.errors import FlowError
from reflow.values.policy import DEFAULT_POLICY, StepPolicy
from tests.unit.graph.writing import graph


def test_a_plain_step_is_not_tried_again() -> None:
    assert step_policy(()) == DEFAULT_POLICY


def test_retry_alone_means_three_times_two_minutes_apart() -> None:
    assert step_policy((Decorator("retry"),)) == StepPolicy(retries=3, retry_delay=120.0)


def test_retry_says_how_often_and_how_far_apart() -> None:
    decorator = Decorator("retry", {"times": 1, "minutes_between_retries": 0.5})
    assert step_policy((decorator,)) == StepPolicy(retries=1, retry_delay=30.0)


def test_text_from_the_command_line_counts_as_a_number() -> None:
    decorator = Decorator("retry", {"times": "4", "minutes_between_retries": "0"})
    assert step_policy((decorator,)) == StepPolicy(retries=4)


def test_the_parts_of_a_timeout_add_up() -> None:
    decorator = Decorator("timeout", {"seconds": 1, "minutes": 1, "hours": 1})
    assert step_policy((decorator, Decorator("catch"))) == StepPolicy(catch=True, timeout=3661.0)


def test_a_run_overrides_what_is_written() -> None:
    overrides = {"retries": 0, "timeout": 7, "retry_delay": None, "other": 1}
    policy = step_policy((Decorator("retry"), Decorator("timeout", {"hours": 1})), overrides)
    assert policy == StepPolicy(retries=0, retry_delay=120.0, timeout=7.0)


@pytest.mark.parametrize(
    "decorator",
    [
        Decorator("retry", {"times": -1}),
        Decorator("retry", {"times": True}),
        Decorator("retry", {"minutes_between_retries": "soon"}),
        Decorator("retry", {"times": float("nan")}),
        Decorator("timeout"),
        Decorator("timeout", {"seconds": [1]}),
    ],
)
def test_values_that_make_no_sense_are_refused(decorator: Decorator) -> None:
    with pytest.raises(FlowError, match=f"@{decorator.name} needs"):
        step_policy((decorator,))


def test_an_override_of_an_unknown_step_is_refused_with_the_steps_there_are() -> None:
    flow = graph("start -> end")
    assert policies_of(flow, {"start": {"retries": 2}}) == {
        "start": StepPolicy(retries=2),
        "end": DEFAULT_POLICY,
    }
    with pytest.raises(FlowError, match=r"no step 'train'.*it has start, end"):
        policies_of(flow, {"train": {}})
