"""`output-dot`: the flow's graph in the language of Graphviz, for `dot -Tsvg`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from reflow.cli.target import Target
from reflow.graph.types import Graph, Kind, Step


def output_dot(target: Target, options: argparse.Namespace) -> int:
    """Raises FlowError where the flow can't run."""
    from reflow.graph.build import from_class

    assert target.script is not None
    print("\n".join(dot(from_class(target.script.flow_class))))
    return 0


def dot(graph: Graph) -> Iterator[str]:
    """A node a step, named as its kind; an edge for each way on, with a foreach's variable or a switch's value."""
    yield f"digraph {graph.flow} {{"
    yield "    rankdir=LR;"
    yield '    node [fontname="Helvetica", shape=box, style=rounded];'
    yield '    edge [fontname="Helvetica", fontsize=10];'
    for step in graph.steps.values():
        kind = _kind(step)
        label = f"{step.name}\\n({kind})" if kind else step.name
        yield f'    {_quoted(step.name)} [label="{label}"];'
    for step in graph.steps.values():
        for target, label in _ways(step):
            yield f"    {_quoted(step.name)} -> {_quoted(target)}{f' [label={_quoted(label)}]' if label else ''};"
    yield "}"


def _kind(step: Step) -> str:
    names = ["join"] if step.is_join else []
    if step.kind in (Kind.SPLIT, Kind.FOREACH, Kind.SWITCH):
        names.append(step.kind.value)
    return ", ".join(names)


def _ways(step: Step) -> Iterator[tuple[str, str]]:
    if step.kind is Kind.SWITCH:
        yield from ((target, f"{step.condition} = {value}") for value, target in step.cases)
        return
    label = f"each of {step.foreach}" if step.kind is Kind.FOREACH else ""
    yield from ((target, label) for target in step.targets)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
