"""What a step's decorators ask for, its flow's beneath them."""

from __future__ import annotations

from typing import Any

import pytest

from reflow.environments.spec import EnvironmentSpec, Kind, specs_of
from reflow.graph.types import Decorator, Graph, Step
from reflow.graph.types import Kind as Transition
from reflow.values.errors import FlowError


def asked(
    step: dict[str, dict[str, Any]], flow: dict[str, dict[str, Any]] | None = None
) -> EnvironmentSpec | None:
    """Of a step with these decorators, in a flow with those."""

    def made(found: dict[str, dict[str, Any]]) -> tuple[Decorator, ...]:
        return tuple(Decorator(name, attributes) for name, attributes in found.items())

    only = Step("a", Transition.END, line=7, decorators=made(step))
    return specs_of(Graph("F", {"a": only}, made(flow or {}))).get("a")


def test_a_step_without_a_decorator_has_no_environment() -> None:
    assert asked({"retry": {}}) is None


def test_a_steps_packages_are_added_to_its_flows_and_win() -> None:
    found = asked(
        {"pypi": {"packages": {"b": "2", "c": ">=1,<2"}}},
        {"pypi_base": {"packages": {"a": "", "b": "1"}, "python": "3.12"}},
    )
    assert found == EnvironmentSpec(Kind.PYPI, (("a", ""), ("b", "2"), ("c", ">=1,<2")), "3.12")
    assert found.requirements == ("a", "b==2", "c>=1,<2")


@pytest.mark.parametrize(
    ("step", "flow", "apart"),
    [
        ({}, {"packages": {"a": "1"}}, True),
        ({"disabled": True}, {"packages": {"a": "1"}}, False),
        ({"disabled": "true"}, {"packages": {"a": "1"}}, False),
        ({"disabled": False}, {"disabled": True}, True),
        ({"packages": {"a": "1"}}, {"disabled": True}, False),
        ({"packages": {"a": "1"}, "disabled": None}, {}, True),
    ],
)
def test_a_step_that_is_disabled_runs_with_the_others(
    step: dict[str, Any], flow: dict[str, Any], apart: bool
) -> None:
    assert (asked({"pypi": step}, {"pypi_base": flow}) is not None) == apart


@pytest.mark.parametrize(
    ("name", "version", "words"),
    [
        ("six", "1.16", "six==1.16"),
        ("six", "", "six"),
        ("six", None, "six"),
        ("six", "==1.16", "six==1.16"),
        ("six", "~=1.1", "six~=1.1"),
        ("six", "1.*", "six==1.*"),
        ("requests[socks]", "!=2.0", "requests[socks]!=2.0"),
        ("six", "@ https://here/six.whl", "six@ https://here/six.whl"),
        ("six", 2, "six==2"),
    ],
)
def test_versions_are_written_as_in_metaflow(name: str, version: Any, words: str) -> None:
    found = asked({"pypi": {"packages": {name: version}}})
    assert found is not None
    assert found.requirements == (words,)


def test_condas_older_word_for_packages_counts() -> None:
    found = asked({"conda": {"libraries": {"a": "1", "b": "1"}, "packages": {"b": "2"}}})
    assert found == EnvironmentSpec(Kind.CONDA, (("a", "1"), ("b", "2")))


def test_of_two_decorators_the_one_with_packages_counts() -> None:
    found = asked({"conda": {"python": "3.12"}, "pypi": {"packages": {"a": "1"}}})
    assert found == EnvironmentSpec(Kind.PYPI, (("a", "1"),), "3.12")


@pytest.mark.parametrize(
    ("decorators", "words"),
    [
        ({"pypi": {"packages": {"a": "1"}}, "conda": {"packages": {"a": "1"}}}, "by @pypi and by @conda"),
        ({"pypi": {"packages": {"-r x": ""}}}, "is no package"),
        ({"pypi": {"packages": {"a": "1\n-r x"}}}, "is no package"),
        ({"pypi": {"packages": {"a": ["1"]}}}, "is no version"),
        ({"pypi": {"packages": ["a"]}}, "this is a dictionary"),
        ({"pypi": {"python": "3.10"}}, "needs Python 3.11 or newer"),
        ({"pypi": {"python": "2"}}, "needs Python 3.11 or newer"),
        ({"pypi": {"python": ">=3.11"}}, "this is a version"),
    ],
)
def test_a_wish_that_makes_no_sense_is_told_with_the_step_and_its_line(
    decorators: dict[str, dict[str, Any]], words: str
) -> None:
    with pytest.raises(FlowError, match=words) as raised:
        asked(decorators)
    assert raised.value.reason.startswith("Step 'a': ")
    assert raised.value.line == 7


@pytest.mark.parametrize("python", ["3", "3.11", "3.13.2", "4.0"])
def test_a_python_that_the_runtime_knows_may_be_asked_for(python: str) -> None:
    found = asked({"pypi": {"python": python}})
    assert found is not None
    assert found.python == python
