"""What was meant by a name that isn't there."""

from __future__ import annotations

import pytest

from reflow.values.similar import did_you_mean

OPTIONS = ["--store", "--with", "--help", "-h", "--max-workers"]


@pytest.mark.parametrize(
    ("written", "there", "said"),
    [
        ("rnu", ["run", "resume"], " (did you mean run?)"),
        ("Start", ["start", "end"], " (did you mean start?)"),
        ("--max-worker", OPTIONS, " (did you mean --max-workers?)"),
        ("--maxworkers", OPTIONS, " (did you mean --max-workers?)"),
        ("nonsense", ["run", "resume"], ""),
    ],
)
def test_what_is_alike_is_named(written: str, there: list[str], said: str) -> None:
    assert did_you_mean(written, there) == said


@pytest.mark.parametrize("written", ["--alpha", "--nope"])
def test_two_options_aren_t_alike_for_their_dashes(written: str) -> None:
    assert did_you_mean(written, OPTIONS) == ""
