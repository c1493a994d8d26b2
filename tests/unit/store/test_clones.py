from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reflow.store import clones
from reflow.values.key import TaskKey

INDEX = st.integers(0, 30)
KEYS = st.builds(
    TaskKey,
    st.sampled_from(["start", "train", "end"]),
    st.lists(INDEX, max_size=2).map(tuple),
    st.lists(INDEX, max_size=1).map(tuple),
)


@given(st.dictionaries(st.sampled_from(["1", "k8s-a"]), st.sets(KEYS, max_size=40)))
def test_the_cloned_keys_come_back_whatever_they_are(found: dict[str, set[TaskKey]]) -> None:
    again = clones.from_json(clones.to_json(found))
    assert {run: set(keys) for run, keys in again.items()} == found
    assert all(len(keys) == len(set(keys)) for keys in again.values())


def test_keys_next_to_each_other_become_a_range() -> None:
    keys = [TaskKey("t", (2, n)) for n in (5, 1, 2, 3, 9)]
    assert clones.to_json({"1": keys}) == {"1": {"t": [{"in": [2], "at": "1-3,5,9"}]}}


def test_a_task_outside_of_foreach_and_loop_is_an_empty_group() -> None:
    assert clones.to_json({"1": [TaskKey("start")]}) == {"1": {"start": [{}]}}
