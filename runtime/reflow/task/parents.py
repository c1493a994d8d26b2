"""From which tasks a task takes its input, found in the store by its key alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reflow.engine.edges import Selector, input_order, leads_to, parents_of
from reflow.graph.types import Graph, Kind
from reflow.sdk.artifacts import Records
from reflow.store.values import Record
from reflow.values.errors import NotFound
from reflow.values.key import TaskKey


def parent_of(graph: Graph, records: Records, key: TaskKey) -> Record | None:
    """The one task that led here; None for start and for joins. Raises NotFound where it has no result."""
    selectors = parents_of(graph, key)
    if not selectors or graph.steps[key.step].is_join:
        return None
    for found in _candidates(graph, records, selectors):
        record = records.find(found)
        if record is not None and leads_to(graph, found, record.case, key):
            return record
    steps = " or ".join(selector.step for selector in selectors)
    raise NotFound(f"No finished task of {steps} in run {records.run} leads to {key.path}.")


def join_keys(graph: Graph, records: Records, key: TaskKey) -> list[TaskKey]:
    """The tasks that a join joins, in the order in which it gets them. Raises NotFound where some have no result."""
    selectors = parents_of(graph, key)
    split = graph.steps[graph.steps[key.step].joins or key.step]
    opener = records.get(TaskKey(split.name, key.foreach, key.loop))
    expected = opener.width if split.kind is Kind.FOREACH else len(split.targets)
    if split.kind is Kind.FOREACH and len(selectors) == 1 and not selectors[0].open_loop:
        only = selectors[0]
        return [TaskKey(only.step, (*only.foreach, index), only.loop) for index in range(opener.width or 0)]
    found = list(_joined(graph, records, selectors, key))
    if len(found) != expected:
        there = (
            "none of them has"
            if not found
            else f"only {len(found)} of them {'has' if len(found) == 1 else 'have'}"
        )
        raise NotFound(f"{key.path} joins {expected} tasks, and in run {records.run} {there} finished.")
    places = input_order(graph, key.step)
    return sorted(found, key=lambda one: (places.get(one.step, 0), one.foreach))


def _joined(
    graph: Graph, records: Records, selectors: Iterable[Selector], join: TaskKey
) -> Iterator[TaskKey]:
    few = [selector.exact for selector in selectors]
    if all(exact is not None for exact in few):
        for exact in few:
            record = records.find(exact) if exact else None
            if record is not None and leads_to(graph, record.key, record.case, join):
                yield record.key
        return
    for entry in records.store.index(records.run):
        selected = entry.status.finished and any(selector.selects(entry.key) for selector in selectors)
        if selected and leads_to(graph, entry.key, entry.case, join):
            yield entry.key


def _candidates(graph: Graph, records: Records, selectors: Iterable[Selector]) -> Iterator[TaskKey]:
    """Those that are known by their key first; after a loop, its last iteration; else what the index has."""
    several = []
    for selector in selectors:
        if selector.exact is not None:
            yield selector.exact
        elif selector.open_loop == 1 and not selector.open_foreach:
            last = _last_iteration(graph, records, selector)
            yield TaskKey(selector.step, selector.foreach, (*selector.loop, last))
        else:
            several.append(selector)
    if several:
        entries = records.store.index(records.run)
        keys = [e.key for e in entries if e.status.finished and any(s.selects(e.key) for s in several)]
        yield from sorted(keys, key=lambda key: key.loop, reverse=True)


def _last_iteration(graph: Graph, records: Records, selector: Selector) -> int:
    """The loop's last iteration, found in O(log n) requests: its header runs in each, so has a result in each."""
    header = graph.steps[graph.steps[selector.step].loop_scope[-1]]
    foreach = selector.foreach[: len(header.foreach_scope)]

    def ran(iteration: int) -> bool:
        key = TaskKey(header.name, foreach, (*selector.loop, iteration))
        return records.store.result_exists(records.run, key)

    first_missing = 1
    while ran(first_missing):
        first_missing *= 2
    there = first_missing // 2
    while first_missing - there > 1:
        middle = (there + first_missing) // 2
        there, first_missing = (middle, first_missing) if ran(middle) else (there, middle)
    return there
