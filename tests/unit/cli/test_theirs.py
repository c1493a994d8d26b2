"""Metaflow's own command lines: which command a line names, after the options that may come first."""

from __future__ import annotations

import pytest

from reflow.cli.flow import shared_options
from reflow.cli.theirs import command_in


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("run --alpha 1", "run"),
        ("--quiet --no-pylint --datastore local run", "run"),
        ("--datastore=local resume --quiet", "resume"),
        ("--config cfg run.json --config-value more {} show", "show"),
        ("--alpha run", ""),
        ("--max-workers 2 run", ""),
        ("--with retry", ""),
        ("", ""),
    ],
)
def test_a_command_follows_options_that_come_before_any(line: str, command: str) -> None:
    assert command_in(shared_options(), line.split()) == command
