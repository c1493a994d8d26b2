"""An exception as its user sees it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from reflow.sdk.exceptions import InvalidNextException
from reflow.task.trace import RUNTIME, are_users, describe


def raised(folder: Path, source: str) -> BaseException:
    """What a script's function `f` raises."""
    script = folder / "flow.py"
    script.write_text(source)
    names: dict[str, Any] = {}
    exec(compile(source, str(script), "exec"), names)
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        names["f"]()
    error: BaseException = caught.value
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next  # without the test's own frame
    return error


def test_the_scripts_frames_are_shown_under_the_name_that_the_user_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = describe(raised(tmp_path, "def f():\n    int('2fail')\n"), "flow.py")
    assert told.traceback.splitlines() == [
        "Traceback (most recent call last):",
        '  File "flow.py", line 2, in f',
        "    int('2fail')",
        "ValueError: invalid literal for int() with base 10: '2fail'",
    ]
    assert told.line == "ValueError: invalid literal for int() with base 10: '2fail'"


def test_an_exception_that_cannot_be_shown_is_still_told(tmp_path: Path) -> None:
    odd = "class Odd(Exception):\n    def __str__(self):\n        raise RuntimeError('no')\n"
    source = odd + "def f():\n    raise Odd\n"
    told = describe(raised(tmp_path, source), "flow.py")
    assert told.type.endswith("Odd")
    assert "can't be made: RuntimeError" in told.message


def test_groups_of_exceptions_are_shown_with_their_members(tmp_path: Path) -> None:
    source = "def f():\n    raise ExceptionGroup('many', [ValueError('a'), KeyError('b')])\n"
    text = describe(raised(tmp_path, source), "flow.py").traceback
    assert "ValueError: a" in text
    assert "KeyError: 'b'" in text


def test_an_exception_of_a_package_is_named_in_full(tmp_path: Path) -> None:
    told = describe(raised(tmp_path, "import json\ndef f():\n    json.loads('{')\n"), "flow.py")
    assert told.type == "json.decoder.JSONDecodeError"


def test_reflows_own_errors_are_named_shortly() -> None:
    assert describe(InvalidNextException("nowhere"), "flow.py").type == "InvalidNextException"


def test_a_deep_recursion_is_cut(tmp_path: Path) -> None:
    told = describe(raised(tmp_path, "def f(n=0):\n    return f(n + 1)\n"), "flow.py")
    assert told.type == "RecursionError"
    assert len(told.traceback) < 5000


def test_what_reflow_calls_in_the_standard_library_is_no_frame_of_a_users() -> None:
    library, ours, user = os.__file__, f"{RUNTIME}task/execute.py", "/home/me/flow.py"
    assert are_users([ours, library, library]) == [False, False, False]
    assert are_users([ours, user, library, ours, library]) == [False, True, True, False, False]
    assert are_users([library, user]) == [True, True]
