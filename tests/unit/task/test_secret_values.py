"""Which variables `@secrets` may set."""

from __future__ import annotations

import os
from typing import Any

import pytest

from reflow.graph.types import Decorator
from reflow.task.secret_values import load_secrets
from reflow.values.errors import FlowError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"THERE": "before"})


def there() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}


def given(*found: dict[str, str], **attributes: Any) -> list[Decorator]:
    sources = [{"type": "inline", "options": {"env_vars": one}} for one in found]
    return [Decorator("secrets", {"sources": sources, **attributes})]


def test_the_variables_are_set_and_their_values_to_be_hidden_the_longest_first() -> None:
    assert load_secrets(given({"_a1": "secret"}, {"B": "a longer one", "C": "abc"})) == (
        "a longer one",
        "secret",
    )
    assert there() == {"THERE": "before", "_a1": "secret", "B": "a longer one", "C": "abc"}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([{"A": "1"}, {"A": "1"}], "the variable A, and so does a source before it"),
        ([{"THERE": "other"}], "the variable THERE, which the step's environment has already"),
        ([{"1_": "x"}], "'1_', which can't be the name"),
        ([{"two words": "x"}], "can't be the name"),
        ([{"METAFLOW_X": "x"}], "can't be the name"),
    ],
)
def test_what_would_clash_is_refused_and_nothing_set(found: list[dict[str, str]], says: str) -> None:
    with pytest.raises(FlowError, match=says):
        load_secrets(given(*found))
    assert there() == {"THERE": "before"}


def test_a_variable_that_is_there_is_replaced_where_that_is_allowed_or_changes_nothing() -> None:
    load_secrets(given({"THERE": "before"}))
    load_secrets(given({"THERE": "after"}, allow_override=True))
    assert os.environ["THERE"] == "after"
    assert load_secrets([Decorator("secrets", {"sources": ["env:THERE"]})]) == ("after",)
