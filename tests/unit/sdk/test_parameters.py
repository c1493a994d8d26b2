"""Parameters: from text or JSON to values."""

from __future__ import annotations

import pytest

from reflow import FlowSpec, JSONType, Parameter
from reflow.sdk.parameters import parameters_of, resolve_parameters, resolve_values
from reflow.values.errors import FlowError, UsageError


class Typed(FlowSpec):
    name = Parameter("name", default="a")
    count = Parameter("count", type=int, default=3, help="How many")
    rate = Parameter("rate", default=0.5)
    on = Parameter("on", default=False)
    spec = Parameter("spec", type=JSONType, default={"k": [1]})
    parts = Parameter("parts", separator=",", default="x,y")
    many = Parameter("many", type=int, multiple=True)
    dashed = Parameter("two-words", required=False)


def test_the_type_is_the_defaults_where_none_is_given() -> None:
    types = {parameter.name: parameter.type for parameter in parameters_of(Typed)}
    assert types["name"] is str
    assert types["rate"] is float
    assert types["on"] is bool
    assert types["two-words"] is str


def test_defaults_are_values_of_their_type() -> None:
    assert resolve_parameters(Typed, {}, {}) == {
        "name": "a",
        "count": 3,
        "rate": 0.5,
        "on": False,
        "spec": {"k": [1]},
        "parts": ["x", "y"],
        "many": None,
        "two-words": None,
    }


def test_texts_are_parsed() -> None:
    given = {"name": "b", "count": "7", "rate": "1", "on": "yes", "spec": "[1]", "parts": "p", "many": "4"}
    values = resolve_parameters(Typed, given, {})
    assert [values[name] for name in given] == ["b", 7, 1.0, True, [1], ["p"], [4]]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("count", "many", "count is a whole number, and 'many' isn't"),
        ("rate", "fast", "rate is a number"),
        ("on", "maybe", "on is true or false"),
        ("spec", "{", "spec is JSON"),
    ],
)
def test_a_text_of_another_type_is_refused_in_words(name: str, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        resolve_parameters(Typed, {name: text}, {})


def test_the_environment_counts_where_nothing_is_given() -> None:
    environ = {"REFLOW_RUN_COUNT": "8", "METAFLOW_RUN_TWO_WORDS": "w"}
    values = resolve_parameters(Typed, {}, environ)
    assert (values["count"], values["two-words"]) == (8, "w")
    assert resolve_parameters(Typed, {"count": "9"}, environ)["count"] == 9


def test_an_unknown_parameter_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(
        UsageError, match=r"^spec.parameters: The flow has no parameter 'conut' .did you mean count"
    ):
        resolve_values(Typed, {"conut": 8})


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no parameter 'alhpa'; its parameters are: name, count"):
        resolve_values(Typed, {"alhpa": 1})


def test_json_values_are_taken_in_the_parameters_type() -> None:
    values = resolve_values(
        Typed, {"rate": 1, "count": 2.0, "name": 5, "on": True, "parts": ["q"], "many": [1, 2]}
    )
    assert values["rate"] == 1.0
    assert isinstance(values["rate"], float)
    assert (values["count"], values["name"], values["on"], values["parts"]) == (2, "5", True, ["q"])
    assert values["many"] == [1, 2]


@pytest.mark.parametrize(("name", "value"), [("count", 1.5), ("count", True), ("on", 1), ("name", ["x"])])
def test_json_of_another_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        resolve_values(Typed, {name: value})


def test_a_required_parameter_must_be_set() -> None:
    class Strict(FlowSpec):
        must = Parameter("must", type=int, required=True)

    with pytest.raises(UsageError, match="must is required"):
        resolve_parameters(Strict, {}, {})
    assert resolve_parameters(Strict, {"must": "1"}, {}) == {"must": 1}


def test_a_default_that_is_a_function_is_called_with_what_it_may_know() -> None:
    class Deployed(FlowSpec):
        who = Parameter("who", default=lambda context: f"{context.flow_name}/{context.user_name}")

    assert resolve_parameters(Deployed, {}, {}, user="ada") == {"who": "Deployed/ada"}


def test_a_default_function_that_fails_is_told_in_words() -> None:
    class Deployed(FlowSpec):
        bad = Parameter("bad", default=lambda context: 1 / 0)

    with pytest.raises(UsageError, match=r"bad is a function, which failed with ZeroDivisionError"):
        resolve_parameters(Deployed, {}, {})


def test_a_default_of_the_wrong_type_is_the_flows_fault() -> None:
    class Wrong(FlowSpec):
        n = Parameter("n", type=int, default="x")

    with pytest.raises(UsageError, match="the flow itself sets"):
        resolve_parameters(Wrong, {}, {})


@pytest.mark.parametrize("name", ["max-workers", "max_workers", "store", "two words", ""])
def test_a_name_that_the_command_line_needs_or_cannot_read_is_refused(name: str) -> None:
    with pytest.raises(FlowError):
        Parameter(name)


def test_a_parameter_cant_take_the_place_of_a_flows_method() -> None:
    class Hiding(FlowSpec):
        next = Parameter("next")  # type: ignore[assignment]

    with pytest.raises(FlowError, match=r"'next', which has a meaning of its own.*next_ = Parameter"):
        parameters_of(Hiding)


def test_a_default_of_json_may_be_its_text() -> None:
    class Texts(FlowSpec):
        spec = Parameter("spec", type=JSONType, default='{"a": [1]}')
        made = Parameter("made", type=JSONType, default=lambda context: "[2]")
        wrong = Parameter("wrong", type=JSONType, default=None)

    assert resolve_parameters(Texts, {}, {}) == {"spec": {"a": [1]}, "made": [2], "wrong": None}
    Texts.wrong.default = "{"
    with pytest.raises(UsageError, match=r"wrong is JSON.*the default that the flow itself sets"):
        resolve_parameters(Texts, {}, {})


def test_two_parameters_of_one_name_are_refused() -> None:
    class Twice(FlowSpec):
        a = Parameter("alpha")
        b = Parameter("alpha")

    with pytest.raises(FlowError, match="two parameters named alpha"):
        parameters_of(Twice)


def test_parameters_of_base_classes_count() -> None:
    class Base(FlowSpec):
        a = Parameter("a")
        b = Parameter("b")

    class Derived(Base):
        c = Parameter("c")
        b = None

    assert [parameter.name for parameter in parameters_of(Derived)] == ["a", "c"]


def test_the_help_line_says_type_and_default() -> None:
    lines = {parameter.name: parameter.help_line for parameter in parameters_of(Typed)}
    assert lines["count"] == "How many [a whole number] [default: 3]"
