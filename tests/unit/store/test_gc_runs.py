from __future__ import annotations

import pytest

from reflow.store.gc_runs import RunFacts, State, Wish, choose
from reflow.values.errors import CorruptObject, NotFound

NOW = 1000 * 24 * 3600.0
DAY = 24 * 3600.0


def run(name: str, age: float = 0.0, state: State = State.FAILED, *needs: str) -> RunFacts:
    """A run that began and ended `age` days ago."""
    return RunFacts(name, f"uid-{name}", NOW - age * DAY, NOW - age * DAY, state, frozenset(needs))


def doomed(facts: list[RunFacts], wish: Wish) -> set[str]:
    return {one.run for one in choose(facts, wish, NOW).doomed}


def test_without_a_wish_none_is_chosen() -> None:
    assert doomed([run("1", 99)], Wish()) == set()


def test_the_newest_are_kept_however_they_are_ordered() -> None:
    assert doomed([run("2", 2), run("3", 1), run("1", 3)], Wish(keep=2)) == {"1"}


def test_a_kept_run_keeps_what_it_needs_and_what_that_needs() -> None:
    facts = [run("1", 4), run("2", 3, State.FAILED, "1"), run("3", 2, State.FAILED, "2"), run("4", 1)]
    choice = choose(facts, Wish(runs=frozenset({"1", "2", "4"})), NOW)
    assert {one.run for one in choice.doomed} == {"4"}
    assert choice.kept.keys() == {"1", "2"}


def test_a_run_that_only_a_doomed_one_needs_goes_with_it() -> None:
    facts = [run("1", 2), run("2", 1, State.FAILED, "1")]
    assert doomed(facts, Wish(keep=0)) == {"1", "2"}


def test_a_running_one_stays_and_keeps_its_origin() -> None:
    facts = [run("1", 2), run("2", 0, State.RUNNING, "1")]
    choice = choose(facts, Wish(keep=0), NOW)
    assert not choice.doomed
    assert choice.kept["1"].startswith("run 2")


def test_a_dead_run_is_chosen_by_age_only_after_a_week() -> None:
    facts = [run("1", 8, State.DEAD), run("2", 6, State.DEAD)]
    assert doomed(facts, Wish(keep=0)) == {"1"}
    assert doomed(facts, Wish(runs=frozenset({"2"}))) == {"2"}


def test_an_old_spin_goes_by_itself_and_none_counts_as_a_run() -> None:
    facts = [run("spin-2", 1, State.SUCCEEDED, "1"), run("spin-1", 8, State.FAILED, "1"), run("1", 20)]
    assert doomed(facts, Wish()) == {"spin-1"}
    assert doomed(facts, Wish(keep=1)) == {"spin-1"}
    assert choose(facts, Wish(keep=0), NOW).kept.keys() == {"1"}


def test_an_unknown_run_is_told() -> None:
    with pytest.raises(NotFound, match="no run 9"):
        choose([run("1")], Wish(runs=frozenset({"9"})), NOW)


def test_an_unreadable_run_stops_all_but_its_own_deletion() -> None:
    facts = [run("1", 9), run("2", 1, State.DAMAGED)]
    with pytest.raises(CorruptObject, match="--run 2"):
        choose(facts, Wish(keep=0), NOW)
    assert doomed(facts, Wish(runs=frozenset({"2"}))) == {"2"}
