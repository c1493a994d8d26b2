"""How Metaflow's command lines are taken."""

from __future__ import annotations

import pytest

from reflow.cli.commands import as_ours


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (["logs", "show", "3/a"], ["logs", "3/a"]),
        (["--quiet", "logs", "show", "3/a", "--stdout"], ["--quiet", "logs", "3/a", "--stdout"]),
        (["logs", "3/show"], ["logs", "3/show"]),
        (["show"], ["show"]),
        (["help"], ["--help"]),
        (["run", "--tag", "help"], ["run", "--tag", "help"]),
        ([], []),
    ],
)
def test_logs_show_and_help_are_taken_as_metaflow_writes_them(theirs: list[str], ours: list[str]) -> None:
    assert list(as_ours(theirs)) == ours
