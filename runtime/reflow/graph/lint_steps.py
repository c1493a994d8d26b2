"""The rules about each step alone, and about the steps' names for each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from reflow.graph.ends import END, ends_are_told_once, ends_of, nothing_leads_to_a_marked_start
from reflow.graph.policy import step_policy
from reflow.graph.source import FlowSource, NextCall, StepSource
from reflow.values.errors import FlowError

ONCE = frozenset({"retry", "timeout", "resources", "kubernetes", "batch", "conda", "pypi", "parallel"})
"""Decorators of which a second one would contradict the first."""

RESERVED = frozenset({"name", "next", "input", "index", "cmd", "inputs", "foreach_stack", "merge_artifacts"})
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")

Rule = Callable[[FlowSource], Iterable[FlowError]]


# Each step alone


def start_and_end_are_there(source: FlowSource) -> Iterator[FlowError]:
    if not source.steps:
        message = (
            f"The flow {source.flow} has no steps. A step is a method with @step above it; the first one is"
            " called start, the last one end."
        )
        yield FlowError(message, file=source.file, line=source.line)
        return
    advice = {
        "start": "Every flow begins with a step of that name, or with one that has @step(start=True): add one",
        "end": "Every flow ends with a step of that name, or with one that has @step(end=True): add one, and let the"
        " last step go to it by self.next(self.end)",
    }
    told = list(ends_are_told_once(source))
    yield from told
    for (name, what), found in zip(advice.items(), ends_of(source), strict=True):
        if found is None and not told:
            yield FlowError(
                f"The flow {source.flow} has no step '{name}'. {what}.", file=source.file, line=source.line
            )


def names_can_be_used(source: FlowSource) -> Iterator[FlowError]:
    for step in source.steps:
        if step.name in RESERVED:
            yield _error(
                step,
                f"A step can't be called '{step.name}': the name has a meaning of its own in a flow. Rename"
                " it.",
            )
        elif not _NAME.fullmatch(step.name):
            yield _error(
                step,
                f"A step can't be called '{step.name}': the names of steps are made of small letters, digits"
                " and _,"
                " and don't begin with _. Rename it.",
            )


def functions_can_be_steps(source: FlowSource) -> Iterator[FlowError]:
    for step in source.steps:
        if step.is_async:
            yield _error(step, f"Step '{step.name}' is an async function. Write it as a plain def.")
        if step.yields:
            yield _error(
                step,
                f"Step '{step.name}' has a yield, which makes it a generator: its code would never run. Put what "
                "yields into a method of its own.",
            )
        twice = sorted(name for name in ONCE if [it.name for it in step.decorators].count(name) > 1)
        if twice:
            yield _error(step, f"Step '{step.name}' has @{twice[0]} more than once. Keep one of them.")
        if step.inputs not in (0, 1):
            yield _error(
                step,
                f"Step '{step.name}' has the wrong arguments. A step takes only self, a join takes self and"
                " inputs:"
                f" def {step.name}(self) or def {step.name}(self, inputs).",
            )


def end_goes_nowhere(source: FlowSource) -> Iterator[FlowError]:
    for step in source.steps:
        if step.name == _end(source) and step.calls:
            yield _error(
                step,
                f"Step '{step.name}' is the last one and can't have a self.next. Remove it.",
                step.calls[0].line,
            )


def others_go_somewhere(source: FlowSource) -> Iterator[FlowError]:
    for step in source.steps:
        if step.name != _end(source) and not step.calls:
            yield _error(
                step,
                f"Step '{step.name}' has no self.next. Every step but {_end(source)} says at its end where the flow"
                " goes on,"
                f" such as self.next(self.{_end(source)}).",
            )


def there_is_one_next_at_the_end(source: FlowSource) -> Iterator[FlowError]:
    for step in source.steps:
        if step.name == _end(source) or not step.calls:
            continue
        if len(step.calls) > 1:
            yield _error(
                step,
                f"Step '{step.name}' has {len(step.calls)} calls of self.next. A step has one, as its last"
                " statement;"
                " to choose between steps, use self.next({'yes': self.a, 'no': self.b},"
                " condition='<artifact>').",
                step.calls[1].line,
            )
        elif not step.calls[0].is_last:
            yield _error(
                step,
                f"The self.next of step '{step.name}' has to be its last statement, and not inside an if,"
                " for, with or"
                " try. Move it to the end.",
                step.calls[0].line,
            )


def next_is_well_formed(source: FlowSource) -> Iterator[FlowError]:
    for step, call in _calls(source):
        if call.problem:
            yield _error(step, f"Step '{step.name}': {call.problem}.", call.line)


def foreach_has_one_target_and_a_variable(source: FlowSource) -> Iterator[FlowError]:
    for step, call in _calls(source):
        if call.foreach is None or call.problem:
            continue
        if len(call.targets) != 1:
            yield _error(
                step,
                f"Step '{step.name}' has a foreach that goes to {len(call.targets)} steps. A foreach goes to"
                " one; that"
                " one may split further.",
                call.line,
            )
        if not call.foreach.isidentifier():
            yield _error(
                step,
                f"Step '{step.name}' has foreach={call.foreach!r}, which can't be an artifact's name. Write"
                " the name of"
                " the list that self holds, such as foreach='items' for self.items.",
                call.line,
            )


def switch_has_cases_and_a_condition(source: FlowSource) -> Iterator[FlowError]:
    for step, call in _calls(source):
        if call.condition is None or call.problem:
            continue
        if len(call.cases) < 2:
            message = (
                f"Step '{step.name}' has a switch with fewer than two cases. Add the others, or go to the"
                " step directly."
            )
            yield _error(step, message, call.line)
        if not call.condition.isidentifier():
            message = (
                f"Step '{step.name}' has condition={call.condition!r}, which can't be an artifact's name."
            )
            yield _error(step, message, call.line)


def targets_are_named_once(source: FlowSource) -> Iterator[FlowError]:
    for step, call in _calls(source):
        for target in sorted({name for name in call.targets if call.targets.count(name) > 1}):
            yield _error(
                step,
                f"Step '{step.name}' goes to '{target}' twice in one self.next. Name it once.",
                call.line,
            )


def policies_make_sense(source: FlowSource) -> Iterator[FlowError]:
    for step in source.steps:
        try:
            step_policy(step.decorators)
        except FlowError as error:
            yield _error(step, f"Step '{step.name}': {error.reason}")


def catch_is_where_a_fallback_can_go_on(source: FlowSource) -> Iterator[FlowError]:
    for step, call in _calls(source):
        what = "foreach" if call.foreach is not None else "switch" if call.condition is not None else ""
        if what and any(decorator.name == "catch" for decorator in step.decorators):
            yield _error(
                step,
                f"Step '{step.name}' has @catch, but after a failure nobody could tell where its {what} goes"
                " on."
                f" Put the work into a step before it and leave the {what} in a step of its own.",
            )


def _calls(source: FlowSource) -> Iterator[tuple[StepSource, NextCall]]:
    return ((step, call) for step in source.steps for call in step.calls if step.name != _end(source))


def _end(source: FlowSource) -> str:
    """The last step; `end` where it can't be told."""
    return ends_of(source)[1] or END


def _error(step: StepSource, message: str, line: int | None = None) -> FlowError:
    return FlowError(message, file=step.file, line=line or step.line)


# The steps' names for each other


def targets_exist(source: FlowSource) -> Iterator[FlowError]:
    names = [step.name for step in source.steps]
    for step, call in _calls(source):
        for target in dict.fromkeys(call.targets):
            if target not in names:
                near = _nearest(target, names)
                advice = f"Did you mean '{near}'?" if near else f"Its steps are {', '.join(names)}."
                yield _error(
                    step,
                    f"Step '{step.name}' goes to '{target}', which is not a step of this flow. {advice}",
                    call.line,
                )


def _nearest(name: str, names: list[str]) -> str | None:
    from difflib import get_close_matches  # slow to import, and needed only here

    return next(iter(get_close_matches(name, names, 1)), None)


STEP_RULES: tuple[Rule, ...] = (
    start_and_end_are_there,
    names_can_be_used,
    functions_can_be_steps,
    end_goes_nowhere,
    others_go_somewhere,
    next_is_well_formed,
    there_is_one_next_at_the_end,
    foreach_has_one_target_and_a_variable,
    switch_has_cases_and_a_condition,
    targets_are_named_once,
    policies_make_sense,
    catch_is_where_a_fallback_can_go_on,
)
TARGET_RULES: tuple[Rule, ...] = (targets_exist, nothing_leads_to_a_marked_start)
