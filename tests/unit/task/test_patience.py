"""Trying again while the store gives no answer."""

from __future__ import annotations

import pytest

from reflow.task.patience import Patience
from reflow.values.errors import StoreRefused, StoreUnreachable


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("reflow.task.patience.time.monotonic", lambda: self.now)
        monkeypatch.setattr("reflow.task.patience.time.sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Store:
    """One that answers after so many tries; it counts them."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.tries = 0

    def ask(self) -> str:
        self.tries += 1
        if self.tries <= self.after:
            raise StoreUnreachable("The store is gone.")
        return "there"


def test_what_succeeds_after_a_while_is_returned(clock: Clock) -> None:
    store, notices = Store(2), list[str]()
    assert Patience(tell=notices.append)(store.ask) == "there"
    assert clock.now == pytest.approx(3.0)
    assert notices == ["The store is gone. Waiting for it, for up to 5 minutes."]


def test_patience_ends(clock: Clock) -> None:
    with pytest.raises(StoreUnreachable):
        Patience(60)(Store(10**6).ask)
    assert 30 < clock.now <= 60


def test_those_who_wait_are_told_now_and_then_however_many_they_are(clock: Clock) -> None:
    notices: list[str] = []
    patience = Patience(60, notices.append)
    for _ in range(8):
        with pytest.raises(StoreUnreachable):
            patience(Store(10**6).ask)
    assert len(notices) == pytest.approx(clock.now / 30, abs=8)


def test_a_refusal_is_final() -> None:
    tries = []

    def ask() -> None:
        tries.append(1)
        raise StoreRefused("no")

    with pytest.raises(StoreRefused):
        Patience()(ask)
    assert len(tries) == 1


def test_once_it_is_over_there_is_one_try_and_where_that_fails_none_at_all(clock: Clock) -> None:
    patience, lost, there = Patience(), Store(10**6), Store(0)
    patience.end()
    assert patience(there.ask) == "there"
    with pytest.raises(StoreUnreachable):
        patience(lost.ask)
    assert (lost.tries, clock.now) == (1, 0.0)
    with pytest.raises(StoreUnreachable):
        patience(there.ask)
    assert there.tries == 1


def test_one_who_waits_stops_when_it_is_over(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    patience = Patience(tell=lambda notice: None)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.now > 2:
            patience.end()

    monkeypatch.setattr("reflow.task.patience.time.sleep", sleep)
    with pytest.raises(StoreUnreachable):
        patience(Store(10**6).ask)
    assert clock.now == pytest.approx(2.1, abs=0.2)
