"""What is made of the times of a chain's Pods."""

from __future__ import annotations

from benchmarks.cluster_chain import Chain, Hop


def hop(created: float) -> Hop:
    return Hop(created, created + 0.5, created + 0.75, created + 1.0, created + 1.5)


def test_a_step_lasts_from_its_pods_creation_to_the_next_ones_and_the_last_to_its_end() -> None:
    assert Chain([[hop(10.0), hop(12.0), hop(15.0)]]).steps() == [2.0, 3.0, 1.5]


def test_two_plays_of_a_chain_have_nothing_between_them() -> None:
    chain = Chain([[hop(10.0), hop(12.0)], [hop(100.0)]])
    assert chain.steps() == [2.0, 1.5, 1.5]
    assert chain.between() == [0.5]


def test_a_containers_own_time_is_from_its_start_to_its_exit() -> None:
    assert hop(10.0).life == 0.5
