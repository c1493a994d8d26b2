"""`show` and `check`: what the flow is, and whether it can run. Neither touches a store."""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Iterator
from textwrap import dedent

from reflow.cli.flow import FlowScript
from reflow.graph.types import Decorator, Graph, Kind, Step


def show(script: FlowScript, options: argparse.Namespace) -> int:
    """Print what the flow says of itself, its parameters, and its steps in the order in which they run."""
    from reflow.sdk.parameters import parameters_of

    graph = sound_graph(script)
    doc = cleandoc(script.flow_class.__doc__ or "")
    if doc:
        print(doc, end="\n\n")
    for parameter in parameters_of(script.flow_class):
        print(f"Parameter {parameter.name}")
        print(f"    {parameter.help_line}\n")
    print("\n".join(described(graph)))
    return 0


def check(script: FlowScript, options: argparse.Namespace) -> int:
    """Say that the flow can run, or raise FlowError with what is in the way."""
    from reflow.environments.spec import specs_of

    graph = sound_graph(script)
    specs_of(graph)
    print(f"{graph.flow}: the graph of {len(graph.steps)} steps looks good.")
    return 0


def sound_graph(script: FlowScript) -> Graph:
    from reflow.graph.build import from_class

    return from_class(script.flow_class)


def described(graph: Graph) -> Iterator[str]:
    """A few lines a step: its decorators, its name, what it says of itself, where it goes next."""
    for step in in_order(graph):
        yield from map(written, step.decorators)
        yield f"Step {step.name}"
        for line in cleandoc(step.doc).splitlines() or ["?"]:
            yield f"    {line}"
        if step.kind is not Kind.END:
            yield f"    => {transition(step)}"
        yield ""


def cleandoc(doc: str) -> str:
    """As inspect's, which takes a dozen modules along."""
    first, _, rest = doc.strip().expandtabs().partition("\n")
    return f"{first}\n{dedent(rest)}" if rest else first


def in_order(graph: Graph) -> Iterator[Step]:
    """From start to end, each step after those that lead to it; of a loop, its header first."""
    waits = {
        name: {s for s in sources if name not in graph.steps[s].loop_scope}
        for name, sources in graph.sources.items()
    }
    ready, told = deque([graph.start]), {graph.start}
    while ready:
        step = graph.steps[ready.popleft()]
        yield step
        for target in step.targets:
            waits[target].discard(step.name)
            if not waits[target] and target not in told:
                told.add(target)
                ready.append(target)
    yield from (step for name, step in graph.steps.items() if name not in told)


def written(decorator: Decorator) -> str:
    """`@retry(times=3)`."""
    attributes = ", ".join(f"{name}={value!r}" for name, value in decorator.attributes.items())
    return f"@{decorator.name}({attributes})" if attributes else f"@{decorator.name}"


def transition(step: Step) -> str:
    """Where a step goes next, in a few words."""
    if step.kind is Kind.FOREACH:
        return f"{step.targets[0]} (for each of self.{step.foreach})"
    if step.kind is Kind.SWITCH:
        cases = ", ".join(f"{value}: {target}" for value, target in step.cases)
        return f"one of {cases} (by self.{step.condition})"
    return ", ".join(step.targets)
