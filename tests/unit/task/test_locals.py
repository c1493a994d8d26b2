"""The variables where a step failed."""

from __future__ import annotations

import time

from reflow.task.locals import LONGEST, locals_of


class Slow:
    def __repr__(self) -> str:
        time.sleep(30)
        return "never"


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def failed_with(**values: object) -> BaseException:
    names = dict(values)
    body = "\n".join(f"    {name} = _given[{name!r}]" for name in names)
    scope: dict[str, object] = {"_given": names}
    exec(compile(f"def f():\n{body}\n    1 / 0", "/work/users/flow.py", "exec"), scope)
    try:
        scope["f"]()  # type: ignore[operator]
    except ZeroDivisionError as error:
        return error
    raise AssertionError


def test_names_and_values_are_kept() -> None:
    assert locals_of(failed_with(x=3, text="a")) == {"x": "3", "text": "'a'"}


def test_secrets_are_hidden_by_their_names_and_by_their_values() -> None:
    found = locals_of(failed_with(api_key="k", My_Password="p", url="http://u:hunter2@h"), ["hunter2"])
    assert found == {"api_key": "<hidden>", "My_Password": "<hidden>", "url": "'http://u:***@h'"}


def test_a_long_value_is_cut_and_one_without_a_text_is_told_so() -> None:
    found = locals_of(failed_with(long="x" * 10_000_000, broken=Broken()))
    assert len(found["long"]) == LONGEST
    assert found["broken"] == "<no text: RuntimeError>"


def test_a_slow_value_ends_the_look_in_a_second() -> None:
    began = time.monotonic()
    found = locals_of(failed_with(quick=1, slow=Slow(), later=2))
    assert time.monotonic() - began < 5
    assert found == {"quick": "1", "slow": "<not shown: time was up>"}
