"""`run` and `resume` on the laptop: from the parsed arguments to the run's end and the exit code."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
import uuid
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from reflow.cli.console import Console, console_for
from reflow.cli.flow import FlowScript
from reflow.graph.policy import policies_of
from reflow.graph.types import Graph
from reflow.launch.lastrun import nearest_memory, recall
from reflow.launch.locally import Place, find_origin, open_flow, resume_locally, run_locally
from reflow.launch.request import Flow, Limits, RunRequest
from reflow.launch.sources import shown_name
from reflow.launch.terminal import has_terminal
from reflow.sdk.currently import set_preparing
from reflow.sdk.identity import user_name
from reflow.sdk.parameters import is_true, resolve_new, resolve_parameters
from reflow.sdk.projects import project_of
from reflow.store import layout
from reflow.store.flowstore import FlowStore
from reflow.store.open import find_store, open_store
from reflow.store.values import Manifest, RunEnd
from reflow.values.dataclass import replace
from reflow.values.errors import NotFound, UsageError
from reflow.values.key import TaskKey
from reflow.values.similar import did_you_mean


def run(script: FlowScript, options: argparse.Namespace, given: Mapping[str, str | list[str]]) -> int:
    """`run`: 0 where the run succeeded, 1 where it failed."""
    flow = read_flow(script, options)
    values = resolve_parameters(script.flow_class, given, os.environ, user=user_name())
    place = find_place(script, options)
    with closing(listener(script, options)) as console:
        return exit_code(run_locally(request(flow, options, values), place, console))


def resume(script: FlowScript, options: argparse.Namespace) -> int:
    """`resume [STEP]`: as `run`."""
    from reflow.sdk.configs import configs_of

    place = find_place(script, options)
    name = script.flow_class.__name__
    check_run_id_file(options.run_id_file)
    if configs_of(script.flow_class):
        # Its graph may follow from its configurations, which are the origin's.
        origin = pick_origin(name, options.origin_run_id, place)
        known = find_origin(open_flow(place, name), origin, place)
        options.configs = settle_as(script, known)
        flow = read_flow(script, options)
    else:
        flow = read_flow(script, options)
        check_step(flow.graph, options.step)
        origin = pick_origin(name, options.origin_run_id, place)
    check_step(flow.graph, options.step)
    asked = replace(
        request(flow, options, {}), new_parameters=partial(resolve_new, script.flow_class, user=user_name())
    )
    with closing(listener(script, options)) as console:
        return exit_code(resume_locally(asked, place, console, origin, options.step))


def settle_as(script: FlowScript, origin: Manifest) -> Mapping[str, Any]:
    """Give a flow that has configurations those of an earlier run; of new ones, their defaults. What it is given."""
    from reflow.sdk.configs import configs_of, resolve_configs
    from reflow.sdk.finalise import finalise

    if not configs_of(script.flow_class):
        return {}
    folder = str(script.path.absolute().parent)
    defaults = resolve_configs(script.flow_class, {}, {}, folder, known=origin.configs)
    values = {**defaults, **origin.configs}
    finalise(script.flow_class, values)
    return values


def read_flow(script: FlowScript, options: argparse.Namespace) -> Flow:
    """Build and check the graph. Raises FlowError before anything is written."""
    from reflow.graph.build import from_class
    from reflow.graph.digest import digest
    from reflow.sdk.decospecs import add_decorators

    add_decorators(script.flow_class, getattr(options, "decospecs", []))
    name = script.flow_class.__name__
    if not options_quiet(options):
        from reflow import __version__

        print(f"Reflow {__version__} executing {name} for user:{user_name()}", file=sys.stderr)
        print("Validating your flow...", file=sys.stderr)
    graph = from_class(script.flow_class)
    if not options_quiet(options):
        print("    The graph looks good!", file=sys.stderr, flush=True)
        tell_cluster_steps(graph)
        tell_without_effect(options, find_place(script, options))
    set_preparing(name, user_name(), asked_project(graph, options))
    return Flow(name=name, script=script.path, alias=script.alias, graph=graph, digest=digest(graph))


def asked_project(graph: Graph, options: argparse.Namespace) -> Mapping[str, object]:
    """The project and branch of the run that is asked for. Raises UsageError."""
    branch, production = branch_of(os.environ) if graph.decorators else (None, False)
    branch = getattr(options, "branch", None) or branch
    production = bool(getattr(options, "production", False)) or production
    return project_of(graph.flow, graph.decorators, user_name(), branch, production)


def branch_of(environ: Mapping[str, str]) -> tuple[str | None, bool]:
    """The project's branch that the environment names, and whether it's the production's."""
    found: tuple[str | None, bool] = (None, False)
    for prefix in ("METAFLOW_", "REFLOW_"):
        found = (
            environ.get(f"{prefix}BRANCH") or found[0],
            is_true(environ.get(f"{prefix}PRODUCTION", "")) or found[1],
        )
    return found


def tell_cluster_steps(graph: Graph) -> None:
    """Say once which steps ask for a cluster: a `run` here runs them here."""
    asking = [
        f"{step.name} (@{decorator.name})"
        for step in graph.steps.values()
        for decorator in step.decorators
        if decorator.name in ("kubernetes", "batch")
    ]
    if asking:
        what = "this step asks" if len(asking) == 1 else "these steps ask"
        print(
            f"    Everything runs on this machine, although {what} for a cluster: {', '.join(asking)}.",
            file=sys.stderr,
            flush=True,
        )


def tell_without_effect(options: argparse.Namespace, place: Place) -> None:
    """Say once which of Metaflow's options change nothing here."""
    from reflow.cli.theirs import without_effect

    found = ", ".join(without_effect(options, place.store_url))
    if found:
        print(f"    As in Metaflow, but without effect here: {found}.", file=sys.stderr, flush=True)


def find_place(script: FlowScript, options: argparse.Namespace) -> Place:
    """Where the run is kept, and where the last run is remembered."""
    cwd = Path.cwd()
    found = find_store(getattr(options, "store", None), script.path, cwd, os.environ)
    return Place(store_url=found.url, found_by=found.where, memory=nearest_memory(cwd))


def request(flow: Flow, options: argparse.Namespace, values: Mapping[str, object]) -> RunRequest:
    """What the user asks for. Raises UsageError."""
    check_run_id_file(options.run_id_file)
    if options.pdb:
        options.max_workers = 1  # there is one terminal
        if not has_terminal():
            raise UsageError(
                "--pdb needs a terminal to type into. Without one, see `debug --ide`, or an IDE's debugger."
            )
    return RunRequest(
        flow=flow,
        owner=uuid.uuid4().hex,
        user=user_name(),
        created=time.time(),
        policies=policies_of(flow.graph),
        parameters=values,
        project=asked_project(flow.graph, options),
        configs=dict(getattr(options, "configs", {})),
        tags=tuple(options.tags),
        limits=Limits(options.max_workers, options.max_num_splits, options.fresh_process),
        on_claim=lambda manifest: note_claim(options, manifest),
        terminal=options.max_workers == 1 and has_terminal(),
        post_mortem=options.pdb,
        full_traceback=options.full_traceback,
        namespace=getattr(options, "namespace", None) or "",
    )


def pick_origin(flow: str, wanted: str | None, place: Place) -> str:
    """The run to resume, told on the console with why."""
    if wanted == "":
        raise UsageError("--origin-run-id needs a run's id, and got an empty text.")
    if wanted is not None:
        run = wanted.removeprefix(f"{flow}/")
        if layout.is_spin(run):
            raise UsageError(
                f"{run} is a spin, one step's trial, which can't be resumed: resume the run that its inputs are from."
            )
        return run
    last = recall(place.memory, flow)
    if last is None:
        raise NotFound(
            f"A previous run of {flow} was not found here: none was started from {Path.cwd()}. "
            f"{latest_runs(flow, place)}"
        )
    print(f"Resuming run {last.run}: the last `{last.command}` of {flow} here.", file=sys.stderr, flush=True)
    return last.run


def latest_runs(flow: str, place: Place) -> str:
    """Which runs a user may mean."""
    from reflow.cli.listing import state_of
    from reflow.cli.table import age

    store = FlowStore(open_store(place.store_url), flow)  # nothing is to be written
    there = [
        f"{one.run} ({state_of(store, one)}, {age(time.time() - one.created)} ago)"
        for one in store.listed()[:5]
    ]
    where = f"the store {place.store_url} (set by {place.found_by})"
    if not there:
        return f"There is none in {where} either: start one with `run`, or name another store with --store."
    return f"Name one with --origin-run-id; the latest in {where} are: {', '.join(there)}."


def check_step(graph: Graph, step: str | None) -> None:
    """Raises UsageError where the flow, as its code is now, has no such step."""
    if step is not None and step not in graph.steps:
        meant = did_you_mean(step, graph.steps)
        raise UsageError(f"{graph.flow} has no step {step!r}{meant}. Its steps are {', '.join(graph.steps)}.")


def listener(script: FlowScript, options: argparse.Namespace) -> Console:
    return console_for(lambda command, argument: as_typed(script, options, command, argument))


def as_typed(script: FlowScript, options: argparse.Namespace, command: str, argument: str) -> str:
    """The line that a user types here for a command of this script, on the same store."""
    name = shown_name(script.path)
    words = ["reflow", command, name] if script.alias else ["python", name, command]
    words += [argument] if argument else []
    if store := getattr(options, "store", None):
        words += ["--store", store]
    return shlex.join(words)


def check_run_id_file(file: Path | None) -> None:
    """Raises UsageError where it can't be written: better now than once the run has its id."""
    if file is None:
        return
    if not file.absolute().parent.is_dir():
        raise UsageError(f"--run-id-file {file}: there is no folder {file.parent}.")
    if file.is_dir() or not os.access(file if file.exists() else file.absolute().parent, os.W_OK):
        raise UsageError(f"--run-id-file {file} can't be written.")


def note_attributes(options: argparse.Namespace, manifest: Manifest, key: TaskKey) -> None:
    """As `note_claim`, of a run that is one task."""
    note_claim(options, manifest, {"step_name": key.step, "task_id": key.id})


def note_claim(
    options: argparse.Namespace, manifest: Manifest, more: Mapping[str, str] | None = None
) -> None:
    """Tell whoever waits for the run's id. `more`: what else to tell."""
    write_run_id(options.run_id_file, manifest)
    if options.runner_attribute_file is not None:
        import json

        text = json.dumps({"flow_name": manifest.flow, "run_id": manifest.run, **(more or {})})
        options.runner_attribute_file.write_text(text)


def write_run_id(file: Path | None, manifest: Manifest) -> None:
    if file is None:
        return
    try:
        file.write_text(f"{manifest.run}")
    except OSError as error:
        print(f"The run id can't be written to {file}: {error.strerror or error}.", file=sys.stderr)


def options_quiet(options: argparse.Namespace) -> bool:
    return bool(getattr(options, "quiet", False))


def exit_code(end: RunEnd) -> int:
    return 0 if end.succeeded else 1
