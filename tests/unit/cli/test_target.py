from __future__ import annotations

from pathlib import Path

import pytest

from reflow import step
from reflow.cli.flow import FlowScript
from reflow.cli.target import Path4, Target
from reflow.values.errors import UsageError


class MyFlow:
    """Stands for a script's flow."""

    @step
    def start(self) -> None:
        """A step."""

    def other(self) -> None:
        """None."""


OF_SCRIPT = Target(FlowScript(MyFlow, Path("my.py"), alias=False), None)  # type: ignore[arg-type]
BY_NAME = Target(None, None)


@pytest.mark.parametrize(
    ("target", "text", "found"),
    [
        (OF_SCRIPT, "3/start", Path4("MyFlow", "3", "start")),
        (OF_SCRIPT, "3/start/0", Path4("MyFlow", "3", "start", "0")),
        (OF_SCRIPT, "MyFlow/3/start/0", Path4("MyFlow", "3", "start", "0")),
        (OF_SCRIPT, "MyFlow/3/start", Path4("MyFlow", "3", "start")),
        (BY_NAME, "MyFlow/3/start", Path4("MyFlow", "3", "start")),
        (BY_NAME, "MyFlow/3/start/17-2.0", Path4("MyFlow", "3", "start", "17-2.0")),
    ],
)
def test_a_name_may_leave_out_what_the_script_says(target: Target, text: str, found: Path4) -> None:
    assert target.path(text, parts=(3, 4)) == found


@pytest.mark.parametrize(
    ("target", "text"),
    [(OF_SCRIPT, "3"), (OF_SCRIPT, "3//0"), (OF_SCRIPT, ""), (BY_NAME, "MyFlow/3"), (BY_NAME, "a/b/c/d/e")],
)
def test_another_form_is_refused_with_the_right_one(target: Target, text: str) -> None:
    with pytest.raises(UsageError, match="RUN/STEP or "):
        target.path(text, parts=(3, 4))


def test_a_run_of_another_flow_is_none_of_the_script_s() -> None:
    with pytest.raises(UsageError):
        OF_SCRIPT.path("Other/3/start/0", parts=(3, 4))


def test_only_the_names_of_a_script_s_steps_are_its_steps() -> None:
    found = [name for name in ("start", "other", "nosuch") if OF_SCRIPT.has_step(name)]
    assert found == ["start"]
    assert not BY_NAME.has_step("start")


def test_without_a_script_a_run_has_to_be_named() -> None:
    with pytest.raises(UsageError, match="--run-id FLOW/RUN"):
        BY_NAME.run(None)
