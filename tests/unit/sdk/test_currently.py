"""`current` where no task runs."""

from __future__ import annotations

import pytest

from reflow.sdk.currently import Current, current, set_preparing


def test_nothing_is_known_where_nothing_runs() -> None:
    fresh = Current()
    assert (fresh.flow_name, fresh.username, fresh.is_running_flow) == (None, None, False)
    with pytest.raises(AttributeError, match="no 'project_name' here"):
        fresh.project_name  # noqa: B018


def test_functions_that_make_defaults_know_the_flow_its_user_and_its_project(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(current, "_preparing", {})
    set_preparing("F", "ann", {"project_name": "p", "branch_name": "user.ann"})
    assert (current.flow_name, current.username, current.namespace) == ("F", "ann", "user:ann")
    assert (current.project_name, current.branch_name) == ("p", "user.ann")
    assert "project_name" in current
    assert not current.is_running_flow
