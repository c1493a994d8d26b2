"""A whole run or resume on the laptop: everything is checked first, then the run id is claimed, then tasks start."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from reflow.engine.events import Start
from reflow.engine.state import RunState
from reflow.graph.policy import policies_of
from reflow.launch.lastrun import LastRun, remember
from reflow.launch.listening import Listener
from reflow.launch.local import LocalExecutor
from reflow.launch.request import Flow, RunRequest, new_manifest, resume_manifest
from reflow.launch.resuming import plan_resume
from reflow.store.alive import Liveness
from reflow.store.code import pack_script
from reflow.store.flowstore import FlowStore
from reflow.store.ledger import LedgerWriter
from reflow.store.open import open_store_long_lived
from reflow.store.values import Manifest, RunEnd
from reflow.task.spawn import open_spawner
from reflow.task.spec import TaskSpec
from reflow.task.supervise import Supervisor
from reflow.values.errors import NotFound, ReflowError


@dataclass(frozen=True, slots=True)
class Place:
    """`store_url`: where the run is kept, found by `found_by`; `memory`: the folder that remembers the last run."""

    store_url: str
    found_by: str
    memory: Path


def run_locally(request: RunRequest, place: Place, listener: Listener) -> RunEnd:
    """Run a flow from its start. Raises ReflowError, before a run id is used, where it can't begin."""
    store = open_flow(place, request.flow)
    code = pack_script(store, request.flow.script, alias=request.flow.alias)
    state, starts = RunState.begin(request.flow.graph, policies_of(request.flow.graph))
    manifest = store.claim(lambda run: new_manifest(request, run, code))
    remember(place.memory, manifest.flow, LastRun(manifest.run, place.store_url, "run"))
    request.on_claim(manifest)
    listener.run_starting(manifest)
    return execute(request, place, store, manifest, state, starts, listener)


def resume_locally(
    request: RunRequest, place: Place, listener: Listener, origin_run: str, from_step: str | None
) -> RunEnd:
    """Run what `origin_run` left undone, with the code as it is now, cloning the rest.

    Raises ReflowError, before a run id is used: an unknown run or step, a run that is still going.
    """
    store = open_flow(place, request.flow)
    origin = find_origin(store, origin_run, place)
    plan = plan_resume(store, origin, request.flow.graph, from_step)
    code = pack_script(store, request.flow.script, alias=request.flow.alias or origin.code.alias)
    state, starts = RunState.rebuild(request.flow.graph, policies_of(request.flow.graph), plan.ends)
    manifest = store.claim(lambda run: resume_manifest(request, run, code, origin, plan, from_step))
    remember(place.memory, manifest.flow, LastRun(manifest.run, place.store_url, "resume"))
    request.on_claim(manifest)
    listener.run_starting(manifest)
    listener.resuming(manifest, plan)
    return execute(request, place, store, manifest, state, starts, listener)


def open_flow(place: Place, flow: Flow) -> FlowStore:
    """The flow's part of the store, once the store is known to be usable."""
    objects = open_store_long_lived(place.store_url)
    try:
        objects.check()
    except ReflowError as error:
        raise type(error)(f"{error} (The store was set by {place.found_by}.)") from error
    return FlowStore(objects, flow.name)


def find_origin(store: FlowStore, run: str, place: Place) -> Manifest:
    """The run to resume. Raises NotFound where there's none, ReflowError where it still runs."""
    try:
        origin = store.manifest(run)
    except NotFound:
        raise NotFound(
            f"Run {run} of {store.flow} isn't in the store {place.store_url} (set by {place.found_by}). "
            f"Name another run with --origin-run-id, or another store with --store."
        ) from None
    if store.end(run) is None and Liveness(store, run).is_alive():
        raise ReflowError(
            f"Run {run} of {store.flow} is still running, so it can't be resumed. Wait for its end, or stop it first."
        )
    return origin


def execute(
    request: RunRequest,
    place: Place,
    store: FlowStore,
    manifest: Manifest,
    state: RunState,
    starts: Iterable[Start],
    listener: Listener,
) -> RunEnd:
    """Run a claimed run's tasks, write its end."""
    specs = task_specs(request, place, manifest)
    with ExitStack() as stack:
        stack.enter_context(Liveness(store, manifest.run))
        ledger = stack.enter_context(LedgerWriter(store, manifest.run))
        spawner = stack.enter_context(
            open_spawner(
                request.flow.script, alias=manifest.code.alias, fresh_process=request.limits.fresh_process
            )
        )
        supervisor = stack.enter_context(Supervisor(store, manifest.run))
        executor = LocalExecutor(
            manifest=manifest,
            state=state,
            supervisor=supervisor,
            spawner=spawner,
            spec_of=specs,
            ledger=ledger,
            listener=listener,
            max_workers=request.limits.max_workers,
            clock=time.time,
        )
        end = executor.run(starts)
        store.finish(manifest.run, end)
    listener.run_ended(manifest, end)
    return end
