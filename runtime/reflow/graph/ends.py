"""Which step a flow begins with, and which it ends with: those called `start` and `end`, those that
`@step(start=True)` and `@step(end=True)` say, or the only step that there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reflow.graph.source import FlowSource, StepSource
from reflow.graph.types import Step
from reflow.values.errors import FlowError

START, END = "start", "end"


def ends_of(source: FlowSource) -> tuple[str | None, str | None]:
    """The first step and the last, None where there is none, or where it can't be told."""
    if len(source.steps) == 1 and not source.steps[0].calls:
        return source.steps[0].name, source.steps[0].name
    return _named(source, [step for step in source.steps if step.starts], START), _named(
        source, [step for step in source.steps if step.ends], END
    )


def _named(source: FlowSource, marked: list[StepSource], name: str) -> str | None:
    if marked:
        return marked[0].name if len(marked) == 1 else None
    return name if any(step.name == name for step in source.steps) else None


def ends_are_told_once(source: FlowSource) -> Iterator[FlowError]:
    """A rule of lint's: what says which step is the first, or the last, says it of one step."""
    for marked, name in (
        ([step for step in source.steps if step.starts], START),
        ([step for step in source.steps if step.ends], END),
    ):
        if len(marked) > 1:
            several = ", ".join(step.name for step in marked)
            yield _error(
                marked[1], f"@step({name}=True) stands above several steps: {several}. Leave it above one."
            )
        elif marked and marked[0].name != name and any(step.name == name for step in source.steps):
            yield _error(
                marked[0],
                f"Step '{marked[0].name}' has @step({name}=True), and there is a step called '{name}' too."
                " Rename that one, or take the mark away.",
            )


def nothing_leads_to_a_marked_start(source: FlowSource) -> Iterator[FlowError]:
    """A rule of lint's."""
    for step in source.steps:
        for call in step.calls:
            for first in source.steps:
                if first.starts and first.name in call.targets:
                    yield FlowError(
                        f"Step '{step.name}' goes to '{first.name}', with which the flow starts by"
                        " @step(start=True). Nothing goes to that one.",
                        file=step.file,
                        line=call.line,
                    )


def first_of(steps: Mapping[str, Step]) -> str:
    """The first step of a sound graph: what is called `start`, else what nothing leads to. Raises FlowError."""
    if START in steps:
        return START
    reached = {target for step in steps.values() for target in step.targets}
    found = [name for name in steps if name not in reached]
    if len(found) != 1:
        raise FlowError("The flow has no step that is its first.")
    return found[0]


def _error(step: StepSource, message: str) -> FlowError:
    return FlowError(message, file=step.file, line=step.line)
