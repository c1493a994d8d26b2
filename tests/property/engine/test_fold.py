"""Folding the ends of tasks, in any order, with losses and doubles, does what a naive scheduler does."""

from __future__ import annotations

from hypothesis import event, given, settings
from hypothesis import strategies as st

from reflow.engine.events import Failed, Lost, Start, Succeeded, TaskEnd
from reflow.engine.state import Outcome, RunState
from reflow.values.key import TaskKey
from tests.property.engine.flows import flows, graph_of
from tests.property.engine.naive import Naive, Walk
from tests.property.engine.world import World, worlds

MANY = settings(max_examples=100, deadline=None)


def outcome(naive: Naive) -> Outcome:
    if naive.failed:
        return Outcome.FAILED
    return Outcome.SUCCEEDED if naive.succeeded else Outcome.RUNNING


def agree(state: RunState, naive: Naive) -> None:
    """Everything that can be asked is the same."""
    results, reached = naive.results, Walk(naive.results).flow(naive.flow).reached
    assert state.outcome is outcome(naive)
    assert {failure.key for failure in state.failures} == naive.failed
    assert all(state.succeeded(key) for key in results)
    for name in graph_of(naive.flow).steps:
        counts = state.counts(name)
        keys = [key for key in reached if key.step == name]
        assert counts.total == len(keys)
        assert counts.succeeded == sum(key in results for key in keys)
        assert counts.failed == sum(key in naive.failed for key in keys)


def history(world: World, dice: st.DataObject | None = None) -> tuple[list[TaskEnd], list[Start]]:
    """A run from its start until nothing is left to start: what ended, and what still ran when it was given
    up."""
    state, starts = RunState.begin(graph_of(world.flow), world.policies())
    running, ends = list(starts), []
    while running and len(ends) < 300:
        place = dice.draw(st.integers(0, len(running) - 1)) if dice else 0
        end = world.end(running.pop(place))
        ends.append(end)
        running += state.apply(end)
    return ends, running


@MANY
@given(worlds(flows), st.data())
def test_a_run_goes_as_the_naive_scheduler_says(world: World, data: st.DataObject) -> None:
    graph, policies = graph_of(world.flow), world.policies()
    state, first = RunState.begin(graph, policies)
    naive = Naive(world.flow, policies)
    assert set(first) == naive.hear()
    running, told = list(first), []
    while running and len(told) < 60:
        if told and data.draw(st.integers(0, 4)) == 4:
            end = data.draw(st.sampled_from(told))  # heard of a second time
        else:
            end = world.end(running.pop(data.draw(st.integers(0, len(running) - 1))))
            told.append(end)
        starts = state.apply(end)
        assert len(set(starts)) == len(starts)
        assert set(starts) == naive.hear(end)
        running += starts
    agree(state, naive)
    event(f"outcome {state.outcome}")


@MANY
@given(worlds(flows), st.randoms(use_true_random=False))
def test_any_order_with_doubles_starts_the_same_and_comes_to_the_same(world: World, dice: object) -> None:
    import random

    assert isinstance(dice, random.Random)
    graph, policies = graph_of(world.flow), world.policies()
    ends, _ = history(world)
    ends = ends[:60]
    told = ends + dice.sample(ends, k=min(5, len(ends)))
    dice.shuffle(told)
    state, first = RunState.begin(graph, policies)
    naive = Naive(world.flow, policies)
    assert set(first) == naive.hear()
    for end in told:
        assert set(state.apply(end)) == naive.hear(end)
    agree(state, naive)
    in_order, _ = RunState.rebuild(graph, policies, ends)
    assert state.outcome is in_order.outcome
    assert state.failures == in_order.failures


@MANY
@given(worlds(flows), st.data())
def test_rebuilding_starts_what_is_ready_and_has_not_ended(world: World, data: st.DataObject) -> None:
    graph, policies = graph_of(world.flow), world.policies()
    ends, _ = history(world)
    known = data.draw(st.permutations(ends[: data.draw(st.integers(0, min(len(ends), 60)))]))
    state, starts = RunState.rebuild(graph, policies, known)
    naive = Naive(world.flow, policies)
    assert set(starts) == naive.hear(*known)
    agree(state, naive)
    results = {end.key for end in known if isinstance(end, Succeeded)}
    assert not results & {start.key for start in starts}


@MANY
@given(worlds(flows), st.data())
def test_crashes_lose_nothing_and_repeat_nothing_that_is_finished(world: World, data: st.DataObject) -> None:
    """The scheduler dies at any moment; what was lost left no record, and what ran may be known of or not."""
    graph, policies = graph_of(world.flow), world.policies()
    state, starts = RunState.begin(graph, policies)
    running, records = list(starts), []
    finished: set[TaskKey] = set()
    for _ in range(400):
        if data.draw(st.integers(0, 9)) == 9:
            known = [start for start in running if data.draw(st.booleans())]
            state, starts = RunState.rebuild(graph, policies, records, known)
            running = known + list(starts)
        if not running:
            break
        start = running.pop(data.draw(st.integers(0, len(running) - 1)))
        assert start.key not in finished
        end = world.end(start)
        if isinstance(end, Lost) and start.launch > 5:
            end = world.result(start)  # a world that loses every launch would never end
        if not isinstance(end, Lost):
            records.append(end)
        if isinstance(end, Succeeded):
            finished.add(end.key)
        running += state.apply(end)
        running = [it for it in running if it.key not in finished]
    assert state.outcome is not Outcome.RUNNING
    if state.outcome is Outcome.SUCCEEDED:
        assert finished == set(
            Walk({key: world.result(Start(key)) for key in finished}).flow(world.flow).reached
        )
    else:
        assert any(isinstance(end, Failed) for end in records)


@MANY
@given(worlds(flows))
def test_a_result_undoes_a_final_failure_and_the_run_goes_on(world: World) -> None:
    graph, policies = graph_of(world.flow), world.policies()
    ends, running = history(world)
    state, _ = RunState.rebuild(graph, policies, ends, running)
    failures = state.failures
    naive = Naive(world.flow, policies)
    naive.issued += running
    naive.hear(*ends)
    for failure in failures:
        result = world.result(Start(failure.key))
        assert set(state.apply(result)) == naive.hear(result)
    if failures:
        assert state.outcome is not Outcome.FAILED
    agree(state, naive)
