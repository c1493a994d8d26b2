"""Trying again while the store gives no answer."""

from __future__ import annotations

import pytest

from reflow.task import patience
from reflow.values.errors import StoreRefused, StoreUnreachable


def test_what_succeeds_after_a_while_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("reflow.task.patience.time.sleep", pauses.append)
    answers = [StoreUnreachable("gone"), StoreUnreachable("gone"), None]

    def ask() -> str:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return "there"

    assert patience.patiently(ask) == "there"
    assert pauses == [1.0, 2.0]


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("reflow.task.patience.time.monotonic", lambda: now[0])
    monkeypatch.setattr(
        "reflow.task.patience.time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds)
    )

    def ask() -> None:
        raise StoreUnreachable("gone")

    with pytest.raises(StoreUnreachable):
        patience.patiently(ask, 60)
    assert now[0] <= 60


def test_a_refusal_is_final() -> None:
    tries = []

    def ask() -> None:
        tries.append(1)
        raise StoreRefused("no")

    with pytest.raises(StoreRefused):
        patience.patiently(ask)
    assert len(tries) == 1
