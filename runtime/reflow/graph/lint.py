"""Is what was written a sound graph? Every rule is a small function that yields what is wrong, where, and
what to do.

The rules come in three layers, and a layer is asked only where the ones before it found nothing, so that one
mistake isn't told three times: each step alone and the steps' names for each other (`lint_steps`), then the
shape of the whole (`lint_shape`).
"""

from __future__ import annotations

from reflow.graph.ends import END, START, ends_of
from reflow.graph.lint_shape import Problem, shape_problems
from reflow.graph.lint_steps import STEP_RULES, TARGET_RULES
from reflow.graph.source import FlowSource
from reflow.graph.stepsource import plain_step
from reflow.graph.types import Graph, Kind
from reflow.values.errors import FlowError


def check(source: FlowSource) -> list[FlowError]:
    """Everything that keeps the flow from running, the most telling first; empty if it is sound."""
    for rules in (STEP_RULES, TARGET_RULES):
        found = [error for rule in rules for error in rule(source)]
        if found:
            return found
    files = {step.name: step.file for step in source.steps}
    steps = {step.name: plain_step(step) for step in source.steps}
    start, end = ends_of(source)
    problems = shape_problems(steps, start or START, end or END)
    return [_error(problem, files.get(problem.step, source.file)) for problem in problems]


def demand(source: FlowSource) -> None:
    """Raise the first of `check`'s errors, with the number of the others."""
    found = check(source)
    if not found:
        return
    first, more = found[0], len(found) - 1
    also = f" ({more} more {'problem' if more == 1 else 'problems'} after that.)" if more else ""
    raise FlowError(first.reason + also, file=first.file, line=first.line)


def require_sound(graph: Graph) -> None:
    """Raise FlowError where a graph that this process did not build itself has a shape that can't run.

    `build` gives sound graphs only; one that was read from a store may come from anyone who can write there.
    """
    if not any(step.kind is Kind.END for step in graph.steps.values()):
        raise FlowError(f"The flow {graph.flow} has no step 'end'.")
    for step in graph.steps.values():
        for target in step.targets:
            if target not in graph.steps:
                raise FlowError(f"Step '{step.name}' goes to '{target}', which is not a step of this flow.")
    try:
        start = graph.start
    except FlowError:
        raise FlowError(f"The flow {graph.flow} has no step 'start'.") from None
    for problem in shape_problems(graph.steps, start, graph.end):
        raise _error(problem, None)


def _error(problem: Problem, file: str | None) -> FlowError:
    return FlowError(problem.message, file=file, line=problem.line or None)
