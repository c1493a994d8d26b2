"""A task's description, as its process gets it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reflow.task.spec import TaskSpec
from reflow.values.errors import NewerFormat, UsageError
from reflow.values.key import TaskKey

SPEC = TaskSpec(
    store="/store",
    flow="F",
    run="3",
    key=TaskKey("s", (1, 2), (0,)),
    script="f.py",
    digest="d",
    attempt=1,
    launch=4,
    fallback=True,
    code="c",
    alias=True,
    max_num_splits=7,
    timeout=1.5,
    user="u",
    namespace="n",
)


def test_it_comes_back_as_it_went() -> None:
    assert TaskSpec.from_text(SPEC.to_text()) == SPEC
    plain = TaskSpec("/store", "F", "3", TaskKey("s"), "f.py", "d")
    assert TaskSpec.from_text(plain.to_text()) == plain


def test_defaults_are_left_out() -> None:
    told = TaskSpec("/store", "F", "3", TaskKey("s"), "f.py", "d").to_json()
    assert set(told) == {"v", "step", "store", "flow", "run", "script", "digest"}


def test_what_a_newer_reflow_adds_is_ignored() -> None:
    assert TaskSpec.from_json({**SPEC.to_json(), "later": 1}) == SPEC


def test_another_format_is_refused_by_name() -> None:
    with pytest.raises(NewerFormat, match="format 2"):
        TaskSpec.from_json({**SPEC.to_json(), "v": 2})


@pytest.mark.parametrize("found", [{}, {"v": 1}, {"v": 1, "step": "s"}, {"v": "x", "step": "s"}])
def test_a_garbled_description_is_refused(found: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="description"):
        TaskSpec.from_text(json.dumps(found))


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(UsageError, match="isn't JSON"):
        TaskSpec.from_text("{")
