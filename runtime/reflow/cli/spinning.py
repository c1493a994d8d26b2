"""`spin STEP`: one step alone, with the inputs that it had in an earlier run and the code as it is now."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from reflow.cli.console import Console
from reflow.cli.debugging import find_task, manifest_of
from reflow.cli.flow import FlowScript
from reflow.cli.running import (
    as_typed,
    check_step,
    exit_code,
    find_place,
    note_attributes,
    options_quiet,
    read_flow,
    request,
    settle_as,
)
from reflow.cli.target import Target
from reflow.client.ids import parse_key
from reflow.graph.types import Graph
from reflow.launch.lastrun import recall
from reflow.launch.locally import Place, open_flow
from reflow.launch.spinning import Spin, inputs_of, spin_locally
from reflow.sdk.identity import user_name
from reflow.sdk.parameters import resolve_given, resolve_new
from reflow.store.flowstore import FlowStore
from reflow.store.values import Manifest, RunEnd
from reflow.values.dataclass import replace
from reflow.values.errors import NotFound, UsageError
from reflow.values.key import TaskKey

LEFT_OUT = frozenset(
    {"retry", "catch"}
)  # they say what comes after a failed attempt, and a spin is one attempt


def spin(script: FlowScript, options: argparse.Namespace, given: Mapping[str, str | list[str]]) -> int:
    """0 where the step came to its end, 1 where it failed. Raises UsageError, NotFound."""
    artifacts = artifacts_file(options.artifacts_module)
    name = script.flow_class.__name__
    run, step, task = named(options.path, Target(script, None))
    place = find_place(script, options)
    store = open_flow(place, name)
    origin = manifest_of(store, run or latest_run(store, place), place)
    options.configs = settle_as(script, origin)
    values = resolve_given(script.flow_class, given)
    flow = read_flow(script, options)
    check_step(flow.graph, step)
    flow = replace(flow, graph=decorated(flow.graph, step, skipped=options.skip_decorators))
    key = find_key(store, origin, flow.graph, step, task)
    inputs = inputs_of(store, origin, flow.graph, key)
    tell(origin, key, inputs)
    asked = replace(
        request(flow, options, values),
        new_parameters=partial(resolve_new, script.flow_class, user=user_name()),
        given=artifacts,
        on_claim=lambda manifest: note_attributes(options, manifest, key),
    )
    listener = SpinConsole(script, options, f"{origin.run}/{key.path}", kept=options.persist)
    return exit_code(spin_locally(asked, place, store, listener, Spin(origin, key, options.persist)))


def named(text: str, target: Target) -> tuple[str | None, str, str | None]:
    """Run, step and task of `STEP`, `STEP/TASK`, `RUN/STEP` or `RUN/STEP/TASK`, the flow's name before it or not.
    Raises UsageError."""
    parts = text.split("/")
    if len(parts) > 2 and parts[0] == target.flow:
        parts = parts[1:]
    if not all(parts) or len(parts) > 3:
        raise UsageError(f"{text!r} isn't of the form STEP, RUN/STEP or RUN/STEP/TASK, such as 3/train/17.")
    if len(parts) == 1:
        return None, parts[0], None
    if len(parts) == 2 and target.has_step(parts[0]):
        return None, parts[0], parts[1]
    return parts[0], parts[1], parts[2] if len(parts) == 3 else None


def artifacts_file(file: Path | None) -> str:
    """Raises UsageError where it isn't there."""
    if file is None:
        return ""
    if not file.is_file():
        raise UsageError(f"--artifacts-module {file}: there is no such file.")
    return str(file.absolute())


def latest_run(store: FlowStore, place: Place) -> str:
    """The last run or resume here; else, as in Metaflow, the newest in the store. Raises NotFound."""
    last = recall(place.memory, store.flow)
    if last is not None and last.store == place.store_url:
        return last.run
    newest = next(iter(store.listed()), None)
    if newest is None:
        raise NotFound(
            f"There is no run of {store.flow} in the store {place.store_url} (set by {place.found_by}), so there are "
            f"no inputs to spin a step with: start one with `run`."
        )
    return newest.run


def decorated(graph: Graph, step: str, *, skipped: bool) -> Graph:
    """The graph with what counts of the step's decorators; with none where they are `skipped`."""
    one = graph.steps[step]
    kept = tuple(d for d in one.decorators if not skipped and d.name not in LEFT_OUT)
    steps = {**graph.steps, step: replace(one, decorators=kept)}
    return Graph(graph.flow, steps, () if skipped else graph.decorators)


def find_key(store: FlowStore, origin: Manifest, graph: Graph, step: str, task: str | None) -> TaskKey:
    """The task that is named; else the step's failed one, else its first; of a step that is new, the only one it can
    have. Raises NotFound."""
    if task is not None:
        return parse_key(replace(origin, graph=graph), step, task)
    if step in origin.graph.steps:
        return find_task(store, origin, step, None)
    one = graph.steps[step]
    if one.foreach_scope:
        raise NotFound(
            f"Step {step} is new since run {origin.run}: name one of its tasks, such as {origin.run}/{step}/0."
        )
    return TaskKey(step, (), (0,) * len(one.loop_scope))


def tell(origin: Manifest, key: TaskKey, inputs: tuple[TaskKey, ...]) -> None:
    """Where the inputs come from."""
    few = ", ".join(f"{origin.run}/{one.path}" for one in inputs[:5])
    more = f" and {len(inputs) - 5} more" if len(inputs) > 5 else ""
    source = f"the artifacts of {few}{more}" if inputs else f"the parameters of run {origin.run}"
    print(f"Spinning {origin.run}/{key.path} with {source}.", file=sys.stderr, flush=True)


class SpinConsole(Console):
    """The console of one task: what it is kept as, and what to type next. `task`: RUN/STEP/TASK of the origin."""

    def __init__(self, script: FlowScript, options: argparse.Namespace, task: str, *, kept: bool) -> None:
        super().__init__()
        self._script, self._options, self._of, self._kept = script, options, task, kept

    def run_starting(self, manifest: Manifest) -> None:
        self._run = manifest.run

    def run_ended(self, manifest: Manifest, end: RunEnd) -> None:
        if not end.succeeded:
            super().run_ended(manifest, end)
            return
        step, _, task = self._of.partition("/")[2].partition("/")
        if self._kept and not options_quiet(self._options):
            typed = as_typed(self._script, self._options, "dump", f"{manifest.run}/{step}/{task}")
            self._line(f"To see its artifacts: {typed}")
        self._line("Done!")

    def run_failing(self, running: int) -> None:
        """There's no workflow that fails with it."""

    def _what_next(self, task: str) -> list[str]:
        again = as_typed(self._script, self._options, "spin", self._of)
        return [f"To try it again, once it's fixed: {again}"]
