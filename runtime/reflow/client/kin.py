"""From which tasks a task took its input, and which took theirs from it."""

from __future__ import annotations

from collections.abc import Iterator

from reflow.engine import edges
from reflow.store.flowstore import FlowStore
from reflow.store.values import IndexEntry, Record
from reflow.values.key import TaskKey


def parents(store: FlowStore, run: str, key: TaskKey) -> Iterator[IndexEntry]:
    """The finished tasks that lead to this one, in the order of a join's inputs."""
    graph = store.manifest(run).graph
    selectors = edges.parents_of(graph, key)
    order = edges.input_order(graph, key.step)
    found = [
        entry
        for entry in store.index(run)
        if entry.status.finished
        and any(selector.selects(entry.key) for selector in selectors)
        and edges.leads_to(graph, entry.key, entry.case, key)
    ]
    return iter(sorted(found, key=lambda entry: (order.get(entry.key.step, 0), entry.key)))


def children(store: FlowStore, run: str, record: Record) -> Iterator[IndexEntry]:
    """The tasks with a record to which this one leads."""
    graph = store.manifest(run).graph
    if not record.status.finished:
        return iter(())
    found = [e for e in store.index(run) if edges.leads_to(graph, record.key, record.case, e.key)]
    return iter(sorted(found, key=lambda entry: entry.key))
