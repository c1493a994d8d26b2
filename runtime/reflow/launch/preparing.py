"""The environments that a run's steps ask for, on the laptop: made before the run id is claimed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from reflow.engine.events import TaskEnd
from reflow.engine.state import RunState
from reflow.environments.archive import FILE
from reflow.environments.lock import Lock, from_json, to_json
from reflow.environments.spec import EnvironmentSpec, specs_of
from reflow.graph.types import Graph
from reflow.launch.request import Flow
from reflow.store.values import Manifest
from reflow.values.dataclass import dataclass, field
from reflow.values.errors import FlowError
from reflow.values.policy import StepPolicy

if TYPE_CHECKING:
    from reflow.environments.making import Environment, Failed, Wanted


@dataclass(frozen=True, slots=True)
class Prepared:
    """`made`: the environment of each step that has one and may run; `runtime`: the folder in which they find Reflow;
    `kept`: what the manifest says of them."""

    made: Mapping[str, Environment] = field(default_factory=dict)
    runtime: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict)

    def of(self, step: str) -> dict[str, str]:
        """What the step's tasks are told of it."""
        if step not in self.made:
            return {}
        return {"python": str(self.made[step].python), "runtime": self.runtime}


def wishes(flow: Flow) -> dict[str, EnvironmentSpec]:
    """The steps that ask for an environment. Raises FlowError where a wish makes no sense."""
    try:
        return specs_of(flow.graph)
    except FlowError as error:
        raise FlowError(error.reason, file=str(flow.script), line=error.line) from None


def prepare(
    flow: Flow,
    tell: Callable[[str], None],
    *,
    origin: Mapping[str, Any] | None = None,
    running: Collection[str] | None = None,
) -> Prepared:
    """Make what isn't there yet. `origin`: what a manifest keeps of environments: the same wishes get the same versions
    again; `running`: the steps that may run, None for all.

    Raises FlowError, with the step and the resolver's own words, where an environment can't be made.
    """
    specs = wishes(flow)
    if not specs:
        return Prepared()
    from reflow.environments.making import Failed, Workshop, make_all

    workshop = Workshop.open(os.environ)
    locks = {**_packaged(flow), **from_json(origin or {})}
    needed = {step: spec for step, spec in specs.items() if running is None or step in running}
    try:
        made = make_all(
            needed,
            list(locks.values()),
            workshop,
            lambda wanted: tell(_words(wanted)),
            lambda wanted: tell(
                f"Waiting for another process that makes the environment of {_steps(wanted)}."
            ),
        )
    except Failed as failed:
        raise _refusal(flow, failed) from None
    kept = {step: environment.lock for step, environment in made.items()}
    kept.update(_carried_over(specs, locks, kept))
    runtime = str(workshop.cache.runtime()) if made else ""
    return Prepared(made, runtime, to_json({step: kept[step] for step in specs if step in kept}))


def _packaged(flow: Flow) -> dict[str, Lock]:
    """What `reflow package` settled, where the script comes from a code package."""
    try:
        return from_json(json.loads((flow.script.parent / FILE).read_text()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FlowError(
            f"{FILE}, which is beside the script, can't be read: {error}", file=str(flow.script)
        ) from None


def _carried_over(
    specs: Mapping[str, EnvironmentSpec], locks: Mapping[str, Lock], made: Mapping[str, Lock]
) -> dict[str, Lock]:
    """What the origin knew of steps that won't run this time: a later resume may run them."""
    return {
        step: locks[step]
        for step, spec in specs.items()
        if step not in made and step in locks and locks[step].spec == spec
    }


def steps_to_run(graph: Graph, policies: Mapping[str, StepPolicy], finished: Iterable[TaskEnd]) -> set[str]:
    """The steps that may run once these tasks are finished: those that are ready, and all that they lead to."""
    _, starts = RunState.rebuild(graph, policies, finished)
    return reachable(graph, {start.key.step for start in starts})


def reachable(graph: Graph, steps: Iterable[str]) -> set[str]:
    """These steps, and all to which they lead."""
    found: set[str] = set()
    open_steps = list(steps)
    while open_steps:
        step = open_steps.pop()
        if step not in found:
            found.add(step)
            open_steps += graph.steps[step].targets
    return found


def same_as_kept(prepared: Prepared, manifest: Manifest) -> bool:
    """Whether the run's manifest, which may have been there before, tells the same versions."""
    return dict(prepared.kept) == dict(manifest.environments)


def _words(wanted: Wanted) -> str:
    return f"Making the environment of {_steps(wanted)}, once: {wanted.spec.describe()}."


def _steps(wanted: Wanted) -> str:
    if len(wanted.steps) == 1:
        return f"step {wanted.steps[0]}"
    return f"steps {', '.join(wanted.steps)}"


def _refusal(flow: Flow, failed: Failed) -> FlowError:
    wanted = failed.wanted
    return FlowError(
        f"The environment of {_steps(wanted)} (@{wanted.spec.kind}: {wanted.spec.describe()}) can't be made: "
        f"{failed.reason}",
        file=str(flow.script),
        line=flow.graph.steps[wanted.steps[0]].line or None,
    )
