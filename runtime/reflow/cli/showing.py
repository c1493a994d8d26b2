"""`show` and `check`: what the flow is, and whether it can run. Neither touches a store."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from reflow.cli.flow import FlowScript
from reflow.graph.types import Graph, Kind, Step


def show(script: FlowScript, options: argparse.Namespace) -> int:
    """Print the flow's steps, in order, each with what it says of itself and where it goes next."""
    graph = sound_graph(script)
    doc = (script.flow_class.__doc__ or "").strip()
    if doc:
        print(doc, end="\n\n")
    print("\n".join(described(graph)))
    return 0


def check(script: FlowScript, options: argparse.Namespace) -> int:
    """Say that the flow can run, or raise FlowError with what is in the way."""
    graph = sound_graph(script)
    print(f"{graph.flow}: the graph of {len(graph.steps)} steps looks good.")
    return 0


def sound_graph(script: FlowScript) -> Graph:
    from reflow.graph.build import from_class

    return from_class(script.flow_class)


def described(graph: Graph) -> Iterator[str]:
    """A few lines a step."""
    for step in graph.steps.values():
        yield f"Step {step.name}"
        for line in (step.doc.strip() or "?").splitlines():
            yield f"    {line.strip()}"
        if step.kind is not Kind.END:
            yield f"    => {transition(step)}"
        yield ""


def transition(step: Step) -> str:
    """Where a step goes next, in a few words."""
    if step.kind is Kind.FOREACH:
        return f"{step.targets[0]} (for each of self.{step.foreach})"
    if step.kind is Kind.SWITCH:
        cases = ", ".join(f"{value}: {target}" for value, target in step.cases)
        return f"one of {cases} (by self.{step.condition})"
    return ", ".join(step.targets)
