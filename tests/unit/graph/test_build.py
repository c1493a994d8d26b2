"""What is derived from the whole graph: the foreaches and loops around a step, and what a join closes."""

from __future__ import annotations

from tests.unit.graph.writing import graph


def test_foreaches_nest_and_their_joins_stand_outside() -> None:
    steps = graph(
        "start -> a foreach xs", "a -> b foreach ys", "b -> inner", "inner* -> outer", "outer* -> end"
    ).steps
    assert steps["a"].foreach_scope == ("start",)
    assert steps["b"].foreach_scope == ("start", "a")
    assert steps["inner"].foreach_scope == ("start",)
    assert steps["outer"].foreach_scope == ()
    assert (steps["inner"].joins, steps["outer"].joins) == ("a", "start")


def test_a_static_split_is_no_foreach_scope() -> None:
    steps = graph("start -> a, b", "a -> join", "b -> join", "join* -> end").steps
    assert steps["a"].foreach_scope == ()
    assert steps["join"].joins == "start"


def test_a_loop_is_around_its_header_and_what_leads_back_to_it() -> None:
    steps = graph("start -> a", "a -> b", "b -> again: a, done: c switch v", "c -> end").steps
    assert steps["start"].loop_scope == ()
    assert steps["a"].loop_scope == ("a",)
    assert steps["b"].loop_scope == ("a",)
    assert steps["c"].loop_scope == ()


def test_loops_nest_outermost_first() -> None:
    steps = graph(
        "start -> o", "o -> i", "i -> in: i, out: x switch v", "x -> again: o, done: end switch w"
    ).steps
    assert steps["i"].loop_scope == ("o", "i")
    assert steps["x"].loop_scope == ("o",)


def test_two_ways_back_to_one_step_are_one_loop() -> None:
    steps = graph("start -> a", "a -> x: a, y: b switch v", "b -> x: a, y: end switch v").steps
    assert steps["a"].loop_scope == ("a",)
    assert steps["b"].loop_scope == ("a",)


def test_a_whole_foreach_in_a_loop_has_one_loop_around_all_of_it() -> None:
    steps = graph(
        "start -> f", "f -> a foreach xs", "a -> join", "join* -> again: f, done: end switch v"
    ).steps
    assert steps["a"].loop_scope == ("f",)
    assert steps["a"].foreach_scope == ("f",)
    assert steps["join"].loop_scope == ("f",)
    assert steps["join"].foreach_scope == ()


def test_a_loop_within_a_foreach_ends_before_the_join() -> None:
    steps = graph("start -> a foreach xs", "a -> again: a, done: j switch v", "j* -> end").steps
    assert steps["a"].loop_scope == ("a",)
    assert steps["j"].loop_scope == ()


def test_a_while_loop_with_its_test_at_the_top_is_a_loop() -> None:
    steps = graph("start -> head", "head -> go: body, done: end switch v", "body -> head").steps
    assert steps["body"].loop_scope == ("head",)
