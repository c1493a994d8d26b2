"""What a resume reuses, and the words for what it doesn't."""

from __future__ import annotations

import pytest

from reflow.engine.clone import Again, plan_clone
from reflow.engine.events import Succeeded
from reflow.graph.types import Graph
from reflow.values.errors import FlowError
from reflow.values.key import TaskKey as Key
from tests.unit.graph.writing import graph

SEED = graph("start -> a, b", "a -> join", "b -> join", "join* -> end")
LINE = graph("start -> a", "a -> b", "b -> end")
EACH = ("start -> f", "f -> a foreach xs", "a -> join", "join* -> end")


def plan(
    old: Graph, new: Graph, finished: list[Succeeded], from_step: str | None = None
) -> tuple[set[str], list[str]]:
    found = plan_clone(old, new, finished, from_step)
    return {str(end.key) for end in found.cloned}, [str(again) for again in found.again]


def done(*steps: str) -> list[Succeeded]:
    return [Succeeded(Key(step)) for step in steps]


def items(step: str, *indices: int) -> list[Succeeded]:
    return [Succeeded(Key(step, (index,))) for index in indices]


def test_what_succeeded_is_cloned_and_what_failed_is_not() -> None:
    assert plan(SEED, SEED, done("start", "a")) == ({"start/0", "a/0"}, [])


def test_a_run_without_any_finished_task_clones_nothing() -> None:
    assert plan(SEED, SEED, []) == (set(), [])


def test_a_finished_run_is_cloned_whole() -> None:
    assert len(plan(SEED, SEED, done("start", "a", "b", "join", "end"))[0]) == 5


def test_a_step_to_resume_from_runs_again_with_all_after_it() -> None:
    cloned, again = plan(SEED, SEED, done("start", "a", "b", "join"), "b")
    assert cloned == {"start/0", "a/0"}
    assert again == [
        "b: 1 task runs again: the resume starts from it",
        "join: 1 task runs again: it comes after 'b'",
    ]


def test_a_step_after_the_failed_one_means_the_failed_one() -> None:
    assert plan(SEED, SEED, done("start", "a"), "end") == ({"start/0", "a/0"}, [])


def test_an_unknown_step_is_refused_with_the_steps_there_are() -> None:
    with pytest.raises(FlowError, match=r"no step 'c' to resume from. Its steps are start, a, b, join, end"):
        plan(SEED, SEED, [], "c")


def test_ninety_nine_of_a_hundred_items_are_reused() -> None:
    flow = graph(*EACH)
    finished = [*done("start"), Succeeded(Key("f"), width=100), *items("a", *range(99))]
    assert len(plan(flow, flow, finished)[0]) == 101


def test_a_step_inserted_after_a_finished_one_runs_and_what_is_before_it_is_kept() -> None:
    new = graph("start -> a", "a -> n", "n -> b", "b -> end")
    assert plan(LINE, new, done("start", "a")) == ({"start/0", "a/0"}, [])
    cloned, again = plan(LINE, new, done("start", "a", "b"))
    assert cloned == {"start/0", "a/0"}
    assert again == ["b: 1 task runs again: n now comes before it"]


def test_a_renamed_step_runs_again_with_all_that_took_input_from_it() -> None:
    new = graph("start -> f", "f -> x foreach xs", "x -> join", "join* -> end")
    finished = [*done("start"), Succeeded(Key("f"), width=2), *items("a", 0, 1), *done("join")]
    cloned, again = plan(graph(*EACH), new, finished)
    assert cloned == {"start/0", "f/0"}
    assert again == [
        "a: 2 tasks left out: the flow no longer has that step",
        "join: 1 task runs again: its input came from a, which is not reused",
    ]


def test_a_deleted_step_makes_those_after_it_run_again() -> None:
    new = graph("start -> b", "b -> end")
    cloned, again = plan(LINE, new, done("start", "a", "b"))
    assert cloned == {"start/0"}
    assert "b: 1 task runs again: its input came from a, which is not reused" in again


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("f -> a foreach ys", "it now goes on by a foreach over 'ys', before it was a foreach over 'xs'"),
        ("f -> a, c", "it now goes on by a split, before it was a foreach over 'xs'"),
    ],
)
def test_a_changed_kind_runs_again(line: str, why: str) -> None:
    more = ["c -> join"] if ", c" in line else []
    finished = [*done("start"), Succeeded(Key("f"), width=1)]
    new = graph("start -> f", line, "a -> join", *more, "join* -> end")
    assert plan(graph(*EACH), new, finished) == ({"start/0"}, [f"f: 1 task runs again: {why}"])


def test_a_split_that_got_a_branch_is_kept_and_its_join_waits_for_the_new_one() -> None:
    new = graph("start -> a, b, c", "a -> join", "b -> join", "c -> join", "join* -> end")
    cloned, again = plan(SEED, new, done("start", "a", "b", "join"))
    assert cloned == {"start/0", "a/0", "b/0"}
    assert again == ["join: 1 task runs again: c now comes before it"]


def test_the_recorded_choice_of_a_switch_decides_again() -> None:
    old = graph("start -> x: a, y: b switch v", "a -> m", "b -> m", "m -> end")
    finished = [Succeeded(Key("start"), case="y"), *done("b", "m")]
    assert len(plan(old, old, finished)[0]) == 3
    new = graph("start -> x: a, z: b switch v", "a -> m", "b -> m", "m -> end")
    cloned, again = plan(old, new, finished)
    assert cloned == set()
    assert again[0] == "start: 1 task runs again: its switch chose 'y', which is no longer a case"
    other = graph("start -> x: a, y: b switch w", "a -> m", "b -> m", "m -> end")
    assert plan(old, other, finished)[1][0].endswith(
        "it now goes on by a switch on 'w', before it was a switch on 'v'"
    )


def test_a_loop_goes_on_in_its_middle() -> None:
    flow = graph("start -> a", "a -> b", "b -> again: a, done: end switch v")
    first = [Succeeded(Key("a", (), (0,))), Succeeded(Key("b", (), (0,)), case="again")]
    finished = [*done("start"), *first, Succeeded(Key("a", (), (1,)))]
    assert plan(flow, flow, finished) == ({"start/0", "a/0.0", "b/0.0", "a/0.1"}, [])


def test_a_loop_resumed_from_a_step_in_it_begins_again() -> None:
    flow = graph("start -> a", "a -> b", "b -> again: a, done: end switch v")
    first = [Succeeded(Key("a", (), (0,))), Succeeded(Key("b", (), (0,)), case="again")]
    assert plan(flow, flow, [*done("start"), *first], "b")[0] == {"start/0"}


def test_a_step_that_became_a_join_runs_again() -> None:
    old = graph("start -> a", "a -> b", "b -> c, d", "c -> j", "d -> j", "j* -> end")
    new = graph("start -> a", "a -> c", "c -> b, d", "b -> j", "d -> j", "j* -> end")
    assert plan(old, new, done("start", "a", "b", "c"))[0] == {"start/0", "a/0"}


def test_a_task_whose_input_now_comes_from_another_task_runs_again() -> None:
    old = graph(
        "start -> f, g",
        "f -> a foreach xs",
        "a -> j",
        "j* -> k",
        "g -> b foreach xs",
        "b -> l",
        "l* -> k",
        "k* -> end",
    )
    new = graph(
        "start -> f, g",
        "f -> b foreach xs",
        "b -> j",
        "j* -> k",
        "g -> a foreach xs",
        "a -> l",
        "l* -> k",
        "k* -> end",
    )
    finished = [
        *done("start"),
        Succeeded(Key("f"), width=1),
        Succeeded(Key("g"), width=1),
        *items("a", 0),
        *items("b", 0),
    ]
    cloned, again = plan(old, new, finished)
    assert cloned == {"start/0", "f/0", "g/0"}
    assert again[0] == "a: 1 task runs again: it stands in another foreach than before"


def test_a_plain_step_moved_to_another_branch_runs_again() -> None:
    old = graph("start -> a, b", "a -> x", "x -> join", "b -> join", "join* -> end")
    new = graph("start -> a, b", "a -> join", "b -> x", "x -> join", "join* -> end")
    cloned, again = plan(old, new, done("start", "a", "b", "x"))
    assert cloned == {"start/0", "a/0", "b/0"}
    assert again == ["x: 1 task runs again: b now comes before it"]


def test_a_record_that_its_own_graph_cannot_have_made_is_not_built_on() -> None:
    flow = graph(*EACH)
    assert plan(flow, flow, [*done("start", "f"), *items("a", 0)])[0] == {"start/0"}


def test_a_task_without_its_inputs_result_is_not_cloned() -> None:
    cloned, again = plan(LINE, LINE, done("start", "b"))
    assert cloned == {"start/0"}
    assert again == ["b: 1 task runs again: a task that it took input from has no result"]


def test_reasons_are_grouped_by_step() -> None:
    flow = graph(*EACH)
    finished = [*done("start"), Succeeded(Key("f"), width=3), *items("a", 0, 1, 2)]
    assert plan_clone(flow, flow, finished, "a").again == (Again("a", 3, "the resume starts from it"),)
