"""What a user may have meant."""

from __future__ import annotations

from reflow.values.similar import did_you_mean, similar


def test_a_slip_is_recognised_whatever_its_case() -> None:
    assert similar("strat", ["start", "end"]) == "start"
    assert similar("--ALPHA", ["--alpha", "--beta"]) == "--alpha"
    assert did_you_mean("rnu", ["run", "resume"]) == " (did you mean run?)"
    assert similar("pipi", ["local", "pypi", "conda"]) == "pypi"


def test_nothing_is_made_up() -> None:
    assert similar("xyz", ["start", "end"]) is None
    assert similar("run", ["add"]) is None
    assert did_you_mean("xyz", []) == ""
