"""Decorators: kept as written on the step or the flow, checked when they are written."""

from __future__ import annotations

import pytest

from reflow import FlowSpec, card, catch, environment, exit_hook, kubernetes, retry, schedule, step, timeout
from reflow.graph.types import Decorator
from reflow.sdk.decorators import retry as the_retry
from reflow.sdk.decospecs import add_decorators, parse_decospec
from reflow.sdk.steps import is_step, step_names
from reflow.values.errors import FlowError, UsageError


def decorators_of(function: object) -> list[Decorator]:
    return function.__reflow_decorators__  # type: ignore[attr-defined, no-any-return]


def test_a_decorator_is_kept_as_written_with_or_without_brackets() -> None:
    class Flow(FlowSpec):
        @catch
        @retry(times=2)
        @step
        def start(self) -> None:
            pass

    assert decorators_of(Flow.start) == [Decorator("retry", {"times": 2}), Decorator("catch", {})]


def test_a_step_stays_the_function_it_was() -> None:
    def start(self: object) -> int:
        return 1

    assert step(start) is start
    assert is_step(start)
    assert start(None) == 1


def test_a_decorator_below_step_is_refused_with_what_to_do() -> None:
    with pytest.raises(FlowError, match="above @step on 'start'"):

        @step
        @retry
        def start(self: object) -> None:
            pass


def test_an_unknown_attribute_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FlowError, match="@retry takes no 'time'; it takes minutes_between_retries, times"):
        retry(time=3)


@pytest.mark.parametrize(
    "declare",
    [
        lambda: retry(times=-1),
        lambda: retry(times="often"),
        lambda: timeout(seconds="5"),
        lambda: card(id="a/b"),
        lambda: card(type=""),
        lambda: card(timeout="long"),
        lambda: card(options=[1]),
        lambda: card(kind="default"),
        lambda: catch(var="not a name"),
        lambda: environment(vars={"A": None}),
        lambda: environment(vars=["A"]),
        lambda: retry(times=object()),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(declare: object) -> None:
    with pytest.raises(FlowError):
        declare()  # type: ignore[operator]


def test_decorators_for_other_systems_take_anything() -> None:
    def hook() -> None:
        pass

    @exit_hook(on_error=[hook])
    @schedule(daily=True)
    class Flow(FlowSpec):
        @kubernetes(memory=100, labels={"a": "b"}, made_up=print)
        @step
        def start(self) -> None:
            pass

    assert decorators_of(Flow.start) == [
        Decorator("kubernetes", {"memory": 100, "labels": {"a": "b"}, "made_up": "print"})
    ]
    assert [one.name for one in Flow.__reflow_flow_decorators__] == ["exit_hook", "schedule"]  # type: ignore[attr-defined]


def test_with_adds_a_decorator_to_every_step_that_has_none_of_its_name() -> None:
    class Flow(FlowSpec):
        @step
        def start(self) -> None:
            pass

        @retry(times=1)
        @step
        def end(self) -> None:
            pass

    add_decorators(Flow, ["retry:times=4,minutes_between_retries=0"])
    assert decorators_of(Flow.start) == [Decorator("retry", {"times": 4, "minutes_between_retries": 0})]
    assert decorators_of(Flow.end) == [Decorator("retry", {"times": 1})]


def test_with_reads_texts_and_json() -> None:
    decorator, attributes = parse_decospec('environment:vars={"A": "1,2"}')
    assert (decorator.name, attributes) == ("environment", {"vars": {"A": "1,2"}})
    assert parse_decospec("catch:var=oops,print_exception=False")[1] == {
        "var": "oops",
        "print_exception": False,
    }
    assert parse_decospec("retry") == (the_retry, {})


@pytest.mark.parametrize("spec", ["nothing", "schedule", "retry:times", "retry:time=3", "retry:times=x"])
def test_with_refuses_what_it_cannot_read(spec: str) -> None:
    class Flow(FlowSpec):
        @step
        def start(self) -> None:
            pass

    with pytest.raises(UsageError, match="--with"):
        add_decorators(Flow, [spec])


def test_steps_are_listed_base_classes_first_and_overridden_ones_once() -> None:
    class Base(FlowSpec):
        @step
        def start(self) -> None:
            pass

        @step
        def gone(self) -> None:
            pass

    class Derived(Base):
        gone = None  # type: ignore[assignment]

        @step
        def end(self) -> None:
            pass

    assert step_names(Derived) == ("start", "end")
