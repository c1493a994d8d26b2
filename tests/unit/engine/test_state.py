"""The fold, event by event."""

from __future__ import annotations

import pytest

from reflow.engine.attempts import MAX_LOST
from reflow.engine.events import Failed, Lost, Start, Succeeded
from reflow.engine.state import Outcome, Phase, RunState
from reflow.graph.types import Graph
from reflow.values.key import TaskKey as Key
from reflow.values.policy import StepPolicy
from tests.unit.graph.writing import graph

START, END = Key("start"), Key("end")
LINE = graph("start -> end")
BRANCHES = graph("start -> a, b", "a -> join", "b -> join", "join* -> end")
FOREACH = graph("start -> a foreach xs", "a -> join", "join* -> end")


def begin(flow: Graph, **policies: StepPolicy) -> RunState:
    return RunState.begin(flow, policies)[0]


def failed(key: Key, attempt: int = 0, launch: int = 0, ended: float = 100.0, final: bool = False) -> Failed:
    return Failed(key, attempt, launch, ended, f"boom {attempt}", final)


def test_a_run_begins_with_start() -> None:
    state, starts = RunState.begin(LINE, {})
    assert starts == (Start(START),)
    assert state.outcome is Outcome.RUNNING


def test_a_run_has_succeeded_when_end_has_its_result() -> None:
    state = begin(LINE)
    assert state.apply(Succeeded(START)) == (Start(END),)
    assert state.apply(Succeeded(END)) == ()
    assert state.outcome is Outcome.SUCCEEDED


def test_a_join_starts_when_all_its_inputs_are_there() -> None:
    state = begin(BRANCHES)
    assert state.apply(Succeeded(START)) == (Start(Key("a")), Start(Key("b")))
    assert state.apply(Succeeded(Key("b"))) == ()
    assert state.apply(Succeeded(Key("b"))) == ()
    assert state.apply(Succeeded(Key("a"))) == (Start(Key("join")),)


def test_a_foreach_starts_a_task_per_item_and_its_join_waits_for_all() -> None:
    state = begin(FOREACH)
    children = state.apply(Succeeded(START, width=3))
    assert [start.key for start in children] == [Key("a", (0,)), Key("a", (1,)), Key("a", (2,))]
    assert state.counts("a").running == 3
    assert [state.apply(Succeeded(start.key)) for start in children] == [(), (), (Start(Key("join")),)]


def test_an_end_told_before_its_parents_counts_once_they_are_told() -> None:
    state = begin(BRANCHES)
    assert state.apply(Succeeded(Key("a"))) == ()
    assert state.succeeded(Key("a"))
    assert state.status(Key("a")) is None
    assert state.apply(Succeeded(START)) == (Start(Key("b")),)
    assert state.status(Key("a")).phase is Phase.SUCCEEDED  # type: ignore[union-attr]


def test_an_end_of_a_step_that_the_flow_lacks_is_ignored() -> None:
    state = begin(LINE)
    assert state.apply(Succeeded(Key("gone"))) == ()
    assert state.apply(Succeeded(Key("end", (1,)))) == ()
    assert state.apply(Succeeded(Key("end", (), (1,)))) == ()
    assert not state.succeeded(Key("gone"))


# Failures


def test_a_failure_without_retries_fails_the_run_and_nothing_new_starts() -> None:
    state = begin(BRANCHES)
    state.apply(Succeeded(START))
    assert state.apply(failed(Key("b"))) == ()
    assert state.outcome is Outcome.FAILED
    assert state.apply(Succeeded(Key("a"))) == ()
    assert state.failure is not None
    assert (state.failure.key, state.failure.message, state.failure.attempt) == (Key("b"), "boom 0", 0)
    assert state.counts("b").failed == 1
    assert state.counts("a").succeeded == 1


def test_a_retry_starts_after_its_delay_with_the_next_attempt() -> None:
    state = begin(LINE, start=StepPolicy(retries=2, retry_delay=30.0))
    assert state.apply(failed(START)) == (Start(START, attempt=1, launch=1, not_before=130.0),)
    assert state.apply(failed(START, 1, 1, ended=200.0)) == (Start(START, 2, 2, 230.0),)
    assert state.apply(failed(START, 2, 2)) == ()
    assert state.outcome is Outcome.FAILED


def test_a_failure_heard_of_twice_makes_one_retry() -> None:
    state = begin(LINE, start=StepPolicy(retries=2))
    assert state.apply(failed(START)) == (Start(START, 1, 1),)
    assert state.apply(failed(START)) == ()


def test_the_highest_attempt_counts_whatever_the_order() -> None:
    state = begin(LINE, start=StepPolicy(retries=2))
    assert state.apply(failed(START, 1, 1)) == (Start(START, 2, 2),)
    assert state.apply(failed(START, 0, 0)) == ()
    assert state.status(START).attempt == 2  # type: ignore[union-attr]


def test_a_final_failure_is_not_tried_again() -> None:
    state = begin(LINE, start=StepPolicy(retries=5))
    assert state.apply(failed(START, final=True)) == ()
    assert state.outcome is Outcome.FAILED


def test_a_caught_failure_is_followed_by_a_fallback_without_delay() -> None:
    state = begin(LINE, start=StepPolicy(retries=1, retry_delay=30.0, catch=True))
    assert state.apply(failed(START)) == (Start(START, 1, 1, 130.0),)
    assert state.apply(failed(START, 1, 1)) == (Start(START, 2, 2, fallback=True),)
    assert state.apply(Succeeded(START)) == (Start(END),)


def test_a_final_failure_that_is_caught_goes_straight_to_the_fallback() -> None:
    state = begin(LINE, start=StepPolicy(retries=5, catch=True))
    assert state.apply(failed(START, final=True)) == (Start(START, 1, 1, fallback=True),)


def test_a_fallback_that_fails_fails_the_run() -> None:
    state = begin(LINE, start=StepPolicy(catch=True))
    state.apply(failed(START))
    assert state.apply(failed(START, 1, 1)) == ()
    assert state.outcome is Outcome.FAILED


def test_a_fallback_of_a_final_failure_is_the_last_attempt_even_if_it_fails_for_good() -> None:
    state = begin(LINE, start=StepPolicy(retries=5, catch=True))
    state.apply(failed(START, final=True))
    assert state.apply(failed(START, 1, 1, final=True)) == ()
    assert state.outcome is Outcome.FAILED


def test_a_failure_after_the_result_is_ignored() -> None:
    state = begin(LINE)
    state.apply(Succeeded(START))
    assert state.apply(failed(START)) == ()
    assert state.outcome is Outcome.RUNNING


def test_a_result_undoes_a_final_failure_and_what_was_held_back_starts() -> None:
    state = begin(BRANCHES)
    state.apply(Succeeded(START))
    state.apply(failed(Key("b")))
    state.apply(Lost(Key("a"), 0, 0))
    assert state.waiting == 1
    assert state.counts("a").waiting == 1
    assert state.apply(Succeeded(Key("b"))) == (Start(Key("a"), launch=1),)
    assert state.outcome is Outcome.RUNNING
    assert state.failure is None


def test_the_first_failure_is_the_earliest_by_its_time() -> None:
    state = begin(BRANCHES)
    state.apply(Succeeded(START))
    state.apply(failed(Key("a"), ended=9.0))
    state.apply(failed(Key("b"), ended=8.0))
    assert [failure.key for failure in state.failures] == [Key("b"), Key("a")]
    assert state.failure == state.failures[0]


@pytest.mark.parametrize("result", [Succeeded(START), Succeeded(START, width=0)])
def test_a_foreach_without_a_width_fails_the_run_for_good(result: Succeeded) -> None:
    state = RunState.begin(FOREACH, {"start": StepPolicy(retries=3)})[0]
    assert state.apply(result) == ()
    assert state.outcome is Outcome.FAILED
    assert "no items" in (state.failure.message if state.failure else "")
    assert state.apply(result) == state.apply(failed(START)) == ()
    assert state.counts("start").failed == state.total().total == 1


# Losses


def test_a_lost_launch_is_started_again_with_the_same_attempt() -> None:
    state = begin(LINE, start=StepPolicy(retries=1, retry_delay=30.0))
    assert state.apply(Lost(START, 0, 0)) == (Start(START, 0, 1),)
    assert state.apply(Lost(START, 0, 0)) == ()
    assert state.apply(failed(START, 0, 1)) == (Start(START, 1, 2, 130.0),)
    assert state.apply(Lost(START, 1, 2)) == (Start(START, 1, 3),)


def test_a_loss_of_an_older_launch_starts_nothing() -> None:
    state = begin(LINE)
    state.apply(Lost(START, 0, 0))
    state.apply(Lost(START, 0, 1))
    assert state.apply(Lost(START, 0, 0)) == ()
    assert state.status(START).launch == 2  # type: ignore[union-attr]


def test_a_launch_that_failed_and_then_vanished_used_up_one_attempt() -> None:
    state = begin(LINE, start=StepPolicy(retries=1))
    assert state.apply(Lost(START, 0, 0)) == (Start(START, 0, 1),)
    assert state.apply(failed(START, 0, 0)) == ()  # launch 1 is running
    assert state.apply(Lost(START, 0, 1)) == (Start(START, 1, 2),)


def test_a_task_that_is_lost_too_often_fails_in_words() -> None:
    state = begin(LINE, start=StepPolicy(retries=3, catch=True))
    for launch in range(MAX_LOST - 1):
        assert state.apply(Lost(START, 0, launch, "node n1 is gone", ended=5.0)) == (
            Start(START, 0, launch + 1),
        )
    assert state.apply(Lost(START, 0, MAX_LOST - 1, "node n2 is gone", ended=6.0)) == ()
    assert state.failure is not None
    assert state.failure.message == (
        "The task was lost 10 times by no fault of its own, and is given up. The last time: node n2 is gone"
    )
    assert state.failure.ended == 6.0


def test_the_words_are_those_of_the_latest_loss_whatever_the_order() -> None:
    losses = [Lost(START, 0, launch, f"node {launch}", ended=float(launch)) for launch in range(MAX_LOST)]
    state, _ = RunState.rebuild(LINE, {}, losses[::-1])
    assert state.failure is not None
    assert state.failure.message.endswith("The last time: node 9")


# Rebuilding


def test_rebuilding_starts_what_has_not_ended_but_not_what_is_known_to_run() -> None:
    ends = [Succeeded(START), Succeeded(Key("a"))]
    _, starts = RunState.rebuild(BRANCHES, {}, ends)
    assert starts == (Start(Key("b")),)
    state, starts = RunState.rebuild(BRANCHES, {}, reversed(ends), running=[Start(Key("b"), launch=4)])
    assert starts == ()
    assert state.counts("b").running == 1
    assert state.apply(Lost(Key("b"), 0, 4)) == (Start(Key("b"), launch=5),)


def test_rebuilding_goes_on_counting_launches_and_attempts() -> None:
    policies = {"start": StepPolicy(retries=2)}
    _, starts = RunState.rebuild(LINE, policies, [failed(START, 0, 3)])
    assert starts == (Start(START, 1, 4),)


def test_rebuilding_a_failed_run_starts_nothing() -> None:
    state, starts = RunState.rebuild(BRANCHES, {}, [Succeeded(START), failed(Key("a"))])
    assert starts == ()
    assert state.outcome is Outcome.FAILED
    assert state.waiting == 1


def test_a_loop_of_many_iterations_is_rebuilt_without_recursion() -> None:
    loop = graph("start -> a", "a -> again: a, done: end switch v")
    ends = [Succeeded(Key("a", (), (n,)), case="again" if n < 4999 else "done") for n in range(5000)]
    state, starts = RunState.rebuild(loop, {}, [*ends[::-1], Succeeded(START)])
    assert starts == (Start(END),)
    assert state.total().succeeded == 5001


def test_counts_add_up_over_all_steps() -> None:
    state = begin(BRANCHES)
    state.apply(Succeeded(START))
    state.apply(Succeeded(Key("a")))
    total = state.total()
    assert (total.waiting, total.running, total.succeeded, total.failed, total.total) == (0, 1, 2, 0, 3)
