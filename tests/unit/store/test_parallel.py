from __future__ import annotations

import threading

import pytest

from reflow.store.parallel import each


def test_answers_come_in_the_order_of_the_questions() -> None:
    assert each(lambda n: n * n, range(100), at_once=7) == [n * n for n in range(100)]
    assert each(lambda n: n, [], at_once=7) == []


def test_as_many_are_asked_at_once_as_allowed() -> None:
    barrier = threading.Barrier(4)
    assert each(lambda n: barrier.wait(5) >= 0, range(8), at_once=4) == [True] * 8


def test_one_at_a_time_needs_no_thread() -> None:
    me = threading.get_ident()
    assert each(lambda _: threading.get_ident(), range(3), at_once=1) == [me] * 3


def test_the_first_error_is_raised_and_the_rest_is_not_asked() -> None:
    asked = []

    def ask(n: int) -> None:
        asked.append(n)
        raise KeyError(n)

    with pytest.raises(KeyError):
        each(ask, range(1000), at_once=3)
    assert len(asked) <= 3
