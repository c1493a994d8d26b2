"""Keys along the edges, forwards and back."""

from __future__ import annotations

import pytest

from reflow.engine.edges import children, follow, input_order, leads_to, next_steps, parents_of
from reflow.graph.types import Graph
from reflow.values.errors import FlowError
from reflow.values.key import TaskKey as Key
from tests.unit.graph.writing import graph

NESTED = graph("start -> a foreach xs", "a -> b foreach ys", "b -> inner", "inner* -> outer", "outer* -> end")
LOOPS = graph("start -> o", "o -> i", "i -> in: i, out: x switch v", "x -> again: o, done: end switch w")
SWITCH = graph("start -> x: a, y: b, z: m switch v", "a -> m", "b -> m", "m -> end")
SPLIT = graph("start -> b, a, j", "a -> c", "c -> j", "b -> j", "j* -> end")


def parents(flow: Graph, key: Key) -> list[Key | None]:
    return [selector.exact for selector in parents_of(flow, key)]


def test_a_foreach_appends_an_index_and_its_join_drops_it() -> None:
    assert list(children(NESTED, Key("start"), 2, None)) == [Key("a", (0,)), Key("a", (1,))]
    assert follow(NESTED, Key("a", (1,)), "b", 4) == Key("b", (1, 4))
    assert follow(NESTED, Key("b", (1, 4)), "inner") == Key("inner", (1,))
    assert follow(NESTED, Key("inner", (1,)), "outer") == Key("outer")


def test_a_loops_back_edge_counts_its_own_loop_up_and_drops_those_within() -> None:
    assert follow(LOOPS, Key("start"), "o") == Key("o", (), (0,))
    assert follow(LOOPS, Key("o", (), (3,)), "i") == Key("i", (), (3, 0))
    assert follow(LOOPS, Key("i", (), (3, 0)), "i") == Key("i", (), (3, 1))
    assert follow(LOOPS, Key("i", (), (3, 1)), "x") == Key("x", (), (3,))
    assert follow(LOOPS, Key("x", (), (3,)), "o") == Key("o", (), (4,))
    assert follow(LOOPS, Key("x", (), (3,)), "end") == Key("end")


def test_a_switch_goes_where_its_case_says() -> None:
    step = SWITCH.steps["start"]
    assert next_steps(step, "y") == ("b",)
    assert next_steps(SWITCH.steps["m"]) == ("end",)
    with pytest.raises(FlowError, match=r"switch of step 'start' chose 'q'; its cases are x, y, z"):
        next_steps(step, "q")
    with pytest.raises(FlowError, match="chose nothing"):
        next_steps(step)


@pytest.mark.parametrize("width", [None, 0, -1])
def test_a_foreach_without_items_is_refused(width: int | None) -> None:
    with pytest.raises(FlowError, match="foreach of step 'start' has no items"):
        children(NESTED, Key("start"), width, None)


def test_the_parent_of_a_plain_task_is_known_exactly() -> None:
    assert parents(NESTED, Key("start")) == []
    assert parents(NESTED, Key("a", (7,))) == [Key("start")]
    assert parents(NESTED, Key("b", (7, 2))) == [Key("a", (7,))]
    assert parents(SWITCH, Key("m")) == [Key("start"), Key("a"), Key("b")]


def test_a_joins_inputs_are_selected_by_prefix() -> None:
    (selector,) = parents_of(NESTED, Key("inner", (7,)))
    assert (selector.step, selector.foreach, selector.open_foreach, selector.exact) == ("b", (7,), 1, None)
    assert selector.selects(Key("b", (7, 0)))
    assert not selector.selects(Key("b", (6, 0)))
    assert not selector.selects(Key("b", (7,)))
    assert not selector.selects(Key("a", (7, 0)))
    assert [it.step for it in parents_of(SPLIT, Key("j"))] == ["start", "c", "b"]


def test_the_first_iteration_of_a_loop_comes_from_before_it_and_the_others_from_its_end() -> None:
    assert parents(LOOPS, Key("o", (), (0,))) == [Key("start")]
    assert parents(LOOPS, Key("o", (), (2,))) == [Key("x", (), (1,))]
    assert parents(LOOPS, Key("i", (), (2, 0))) == [Key("o", (), (2,))]
    assert parents(LOOPS, Key("i", (), (2, 5))) == [Key("i", (), (2, 4))]


def test_what_left_a_loop_is_one_of_its_iterations() -> None:
    (selector,) = parents_of(LOOPS, Key("x", (), (2,)))
    assert (selector.step, selector.loop, selector.open_loop, selector.exact) == ("i", (2,), 1, None)
    assert leads_to(LOOPS, Key("i", (), (2, 3)), "out", Key("x", (), (2,)))
    assert not leads_to(LOOPS, Key("i", (), (2, 3)), "in", Key("x", (), (2,)))
    assert not leads_to(LOOPS, Key("i", (), (1, 3)), "out", Key("x", (), (2,)))
    assert not leads_to(LOOPS, Key("i", (), (2, 3)), "other", Key("x", (), (2,)))


def test_whether_a_foreach_leads_to_a_child_needs_no_width() -> None:
    assert leads_to(NESTED, Key("a", (1,)), None, Key("b", (1, 99)))
    assert not leads_to(NESTED, Key("a", (1,)), None, Key("b", (0, 99)))


def test_a_joins_inputs_are_ordered_as_the_split_names_its_branches() -> None:
    assert input_order(SPLIT, "j") == {"b": 0, "c": 1, "start": 2}
    assert input_order(NESTED, "inner") == {"b": 0}
    assert input_order(SPLIT, "a") == {}
