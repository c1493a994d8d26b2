"""From which tasks a task took its input, and which took theirs from it; how far a run has come."""

from __future__ import annotations

from collections.abc import Iterator

from reflow.engine import edges
from reflow.graph.types import Graph
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


def by_depth(graph: Graph) -> list[str]:
    """The steps in the order in which they begin, as far as the graph tells: by their longest way from the start."""
    depth = dict.fromkeys(graph.steps, 0)
    for name in _sorted_topologically(graph):
        for target in graph.steps[name].targets:
            if not edges.is_back_edge(graph.steps[name], graph.steps[target]):
                depth[target] = max(depth[target], depth[name] + 1)
    return sorted(graph.steps, key=depth.__getitem__)


def _sorted_topologically(graph: Graph) -> list[str]:
    """Each step after those that lead to it, loops' ways back left out."""
    done: dict[str, None] = {}
    waiting: list[tuple[str, bool]] = [(name, False) for name in reversed(tuple(graph.steps))]
    seen: set[str] = set()
    while waiting:
        name, is_over = waiting.pop()
        if is_over:
            done[name] = None
        elif name not in seen:
            seen.add(name)
            waiting.append((name, True))
            waiting += [(target, False) for target in graph.steps[name].targets]
    return list(reversed(done))


def begun(store: FlowStore, run: str) -> set[str]:
    """The steps that have begun: they have tasks with a record, or, in a run that goes on, what leads to them has."""
    graph = store.manifest(run).graph
    entries = store.index(run)
    found = {entry.key.step for entry in entries}
    if store.end(run) is not None:
        return found
    led: dict[str, set[str]] = {}
    for entry in entries:
        if entry.status.finished:
            for target in edges.next_steps(graph.steps[entry.key.step], entry.case):
                led.setdefault(target, set()).add(entry.key.step)
    for step in graph.steps.values():
        sources = set(graph.sources[step.name])
        came = led.get(step.name, set())
        if not sources or (came >= sources if step.is_join else came):
            found.add(step.name)
    return found
