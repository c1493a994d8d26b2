"""The graph as scripts written for Metaflow look at it: `self._graph["train"].type`, `for node in flow._graph`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reflow.graph.types import PARALLEL, Graph, Kind, Step
from reflow.values.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A step. `type` is start, linear, split, foreach, split-switch, join or end."""

    name: str
    type: str
    doc: str
    in_funcs: frozenset[str]
    out_funcs: list[str]
    split_parents: list[str]
    matching_join: str | None
    foreach_param: str | None
    condition: str | None
    switch_cases: dict[str, str]
    parallel_step: bool
    parallel_foreach: bool
    is_inside_foreach: bool
    func_lineno: int
    decorators: list[Any]


class GraphView:
    """All steps, by name and in their order."""

    def __init__(self, graph: Graph) -> None:
        self.name = graph.flow
        self.start_step, self.end_step = graph.start, graph.end
        self.nodes = {name: _node(graph, step) for name, step in graph.steps.items()}

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def __contains__(self, name: str) -> bool:
        return name in self.nodes

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def __repr__(self) -> str:
        return f"<graph of {self.name}: {', '.join(self.nodes)}>"


def _node(graph: Graph, step: Step) -> Node:
    return Node(
        name=step.name,
        type=_type(graph, step),
        doc=step.doc,
        in_funcs=frozenset(graph.sources[step.name]),
        out_funcs=list(step.targets),
        split_parents=_open_splits(graph, step),
        matching_join=next((join.name for join in graph.steps.values() if join.joins == step.name), None),
        foreach_param=step.foreach,
        condition=step.condition,
        switch_cases=dict(step.cases),
        parallel_step=any(
            graph.steps[source].foreach == PARALLEL and step.name in graph.steps[source].targets
            for source in graph.sources[step.name]
        ),
        parallel_foreach=step.foreach == PARALLEL,
        is_inside_foreach=bool(step.foreach_scope),
        func_lineno=step.line,
        decorators=list(step.decorators),
    )


def _type(graph: Graph, step: Step) -> str:
    if step.kind is Kind.END:
        return "end"
    if step.kind is Kind.SWITCH:
        return "split-switch"
    if step.kind is not Kind.LINEAR:
        return step.kind.value
    if step.is_join:
        return "join"
    return "start" if step.name == graph.start else "linear"


def _open_splits(graph: Graph, step: Step) -> list[str]:
    """The splits and foreaches around a step, the outermost first: found backwards, along any path to it."""
    found: list[str] = []
    closed: list[str] = []
    seen = {step.name}
    at = step
    while sources := [name for name in graph.sources[at.name] if name not in seen]:
        if at.joins:
            closed.append(at.joins)
        at = graph.steps[sources[0]]
        seen.add(at.name)
        if at.kind in (Kind.SPLIT, Kind.FOREACH):
            if at.name in closed:
                closed.remove(at.name)
            else:
                found.insert(0, at.name)
    return found
