"""From a script, or from the class that a process has loaded, to its graph. Both ways give equal graphs."""

from __future__ import annotations

from reflow.graph.classes import class_source
from reflow.graph.ends import START, ends_of
from reflow.graph.lint import demand
from reflow.graph.loops import loops, scope
from reflow.graph.nesting import nest
from reflow.graph.script import read_source
from reflow.graph.source import DoesNotParse, FlowSource, ParameterDecl, Unsettled
from reflow.graph.stepsource import plain_step
from reflow.graph.types import Graph
from reflow.values.dataclass import dataclass, replace

__all__ = ["Built", "DoesNotParse", "Unsettled", "build", "from_class", "from_text", "read_source"]


@dataclass(frozen=True, slots=True)
class Built:
    """What a script's text tells: the graph, and the parameters that its class declares."""

    graph: Graph
    parameters: tuple[ParameterDecl, ...] = ()


def from_text(text: str, file: str) -> Built:
    """The flow of a script that is never run. `file` is its name in messages.

    Raises FlowError (file, line, what to do), or Unsettled where only running the script tells.
    """
    source = read_source(text, file)
    return Built(build(source), source.parameters)


def from_class(flow: type) -> Graph:
    """The graph of a flow's class, decorators added while the process ran included. Raises FlowError."""
    return build(class_source(flow))


def build(source: FlowSource) -> Graph:
    """A sound graph with all that is derived. Raises FlowError: the first problem, and how many more there
    are."""
    demand(source)
    steps = {step.name: plain_step(step) for step in source.steps}
    start = ends_of(source)[0] or START
    nesting = nest(steps, start)
    around = loops({name: step.targets for name, step in steps.items()}, start)
    return Graph(
        source.flow,
        {
            name: replace(
                step,
                foreach_scope=tuple(frame.split for frame in nesting.stacks[name] if frame.foreach),
                loop_scope=scope(name, around),
                joins=nesting.joins.get(name),
            )
            for name, step in steps.items()
        },
        source.decorators,
    )
