"""What a resume clones, for random flows, random edits of them, and runs that stopped anywhere."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import event, given, settings
from hypothesis import strategies as st

from reflow.engine.clone import ClonePlan, plan_clone
from reflow.engine.events import Succeeded
from reflow.engine.state import Outcome, RunState
from tests.property.engine.flows import Blocks, changed, flows, graph_of, scopes
from tests.property.engine.naive import Walk, naive_clone, steps_after
from tests.property.engine.test_fold import history
from tests.property.engine.world import World

MANY = settings(max_examples=100, deadline=None)


@dataclass(frozen=True)
class Case:
    """A run of `old` that stopped, and its resume with `new`."""

    old: Blocks
    new: Blocks
    finished: tuple[Succeeded, ...]
    from_step: str | None

    @property
    def plan(self) -> ClonePlan:
        return plan_clone(graph_of(self.old), graph_of(self.new), self.finished, self.from_step)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    old = draw(flows)
    new = draw(changed(old))
    world = World(old, draw(st.integers(0, 1000)), draw(st.sampled_from([0, 0, 0, 1])))
    ends, _ = history(world)
    results = [end for end in ends if isinstance(end, Succeeded)]
    share = draw(st.sampled_from([1.0, 0.9, 0.7, 0.4, 0.1]))
    finished = tuple(results[: round(share * len(results))])
    names = list(graph_of(new).steps)
    from_step = draw(st.sampled_from(names)) if draw(st.integers(0, 3)) == 3 else None
    return Case(old, new, finished, from_step)


@MANY
@given(cases())
def test_it_clones_what_the_naive_rule_clones(case: Case) -> None:
    plan = case.plan
    assert {end.key: end for end in plan.cloned} == naive_clone(
        case.old, case.new, case.finished, case.from_step
    )
    assert len({end.key for end in plan.cloned}) == len(plan.cloned)
    event(
        f"changed {case.old != case.new}, {'some' if plan.cloned else 'none'} cloned, again"
        f" {bool(plan.again)}"
    )


@MANY
@given(cases())
def test_what_is_cloned_is_closed_under_inputs_and_succeeded(case: Case) -> None:
    plan = case.plan
    cloned = {end.key for end in plan.cloned}
    assert set(plan.cloned) <= set(case.finished)
    before = Walk({end.key: end for end in case.finished}).flow(case.old).reached
    after = Walk({end.key: end for end in plan.cloned}).flow(case.new).reached
    for key in cloned:
        assert set(before[key]) <= cloned
        assert set(after[key]) <= cloned
    seen = set()
    for end in plan.cloned:  # parents before children
        assert set(after[end.key]) <= seen
        seen.add(end.key)
    if case.from_step:
        assert not {key.step for key in cloned} & steps_after(graph_of(case.new).steps, case.from_step)


@MANY
@given(cases())
def test_all_that_had_finished_is_either_cloned_or_told(case: Case) -> None:
    plan = case.plan
    assert len(plan.cloned) + sum(again.count for again in plan.again) == len(case.finished)
    assert all(
        again.why and again.gone == (again.step not in graph_of(case.new).steps) for again in plan.again
    )


@MANY
@given(cases())
def test_the_rest_runs_to_the_end_without_running_a_clone(case: Case) -> None:
    plan = case.plan
    cloned = {end.key for end in plan.cloned}
    world = World(case.new, 7, trouble=0)
    state, starts = RunState.rebuild(graph_of(case.new), {}, plan.cloned)
    running = list(starts)
    while running:
        start = running.pop()
        assert start.key not in cloned
        running += state.apply(world.result(start))
    assert state.outcome is Outcome.SUCCEEDED


@MANY
@given(cases(), st.data())
def test_a_resume_of_a_resume_keeps_what_both_did(case: Case, data: st.DataObject) -> None:
    plan = case.plan
    graph = graph_of(case.new)
    assert set(plan_clone(graph, graph, plan.cloned).cloned) == set(plan.cloned)
    state, starts = RunState.rebuild(graph, {}, plan.cloned)
    world, running, ends = World(case.new, 7, trouble=0), list(starts), list(plan.cloned)
    for _ in range(data.draw(st.integers(0, 20))):
        if running:
            ends.append(world.result(running.pop()))
            running += state.apply(ends[-1])
    assert set(plan_clone(graph, graph, ends).cloned) == set(ends)


@MANY
@given(cases())
def test_without_a_change_and_a_step_all_that_finished_is_cloned(case: Case) -> None:
    graph = graph_of(case.old)
    plan = plan_clone(graph, graph, case.finished)
    assert set(plan.cloned) == set(case.finished)
    assert plan.again == ()


@MANY
@given(flows)
def test_the_graph_has_the_scopes_that_the_tree_has(flow: Blocks) -> None:
    steps = graph_of(flow).steps
    expected = {"start": ((), ()), "end": ((), ()), **scopes(flow)}
    assert {name: (step.foreach_scope, step.loop_scope) for name, step in steps.items()} == expected
