"""A whole run or resume on the laptop: everything is checked first, then the run id is claimed, then tasks start."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from reflow.engine.events import Start, Succeeded
from reflow.engine.state import RunState
from reflow.launch.holding import hold
from reflow.launch.hooks import call_hooks
from reflow.launch.lastrun import LastRun, remember
from reflow.launch.listening import Listener
from reflow.launch.local import LocalExecutor, Progress
from reflow.launch.preparing import Prepared, prepare, same_as_kept, steps_to_run, wishes
from reflow.launch.request import Flow, RunRequest, new_manifest, resume_manifest
from reflow.launch.resuming import ends_of, plan_resume
from reflow.launch.sources import shown_name
from reflow.launch.stopping import StopSignals
from reflow.launch.terminal import Terminal
from reflow.sdk.includefile import keep_files
from reflow.store.errors import RunExists
from reflow.store.flowstore import FlowStore
from reflow.store.ledger_thread import BackgroundLedger
from reflow.store.open import open_store_long_lived
from reflow.store.package import pack_file
from reflow.store.values import CodeRef, Manifest, RunEnd
from reflow.task.spawn import BothWays, Spawner, open_spawner, own_group
from reflow.task.spec import TaskSpec
from reflow.task.supervise import Supervisor
from reflow.values.dataclass import dataclass, replace
from reflow.values.errors import NotFound, ReflowError


@dataclass(frozen=True, slots=True)
class Place:
    """`store_url`: where the run is kept, found by `found_by`; `memory`: the folder that remembers the last run."""

    store_url: str
    found_by: str
    memory: Path


def run_locally(request: RunRequest, place: Place, listener: Listener) -> RunEnd:
    """Run a flow from its start. Raises ReflowError, before a run id is used, where it can't begin."""
    with spawner_of(request) as spawner:
        store = open_flow(place, request.flow.name)
        prepared = prepare(request.flow, listener.preparing)
        request = replace(request, parameters=keep_files(store, request.parameters))
        code = keep_code(store, request.flow, alias=request.flow.alias)
        manifest = claim(store, request, lambda run: new_manifest(request, run, code, prepared.kept))
        if not same_as_kept(prepared, manifest):
            prepared = prepare(request.flow, listener.preparing, origin=manifest.environments)
        remember(place.memory, manifest.flow, LastRun(manifest.run, place.store_url, "run"))
        request.on_claim(manifest)
        listener.run_starting(manifest)
        return execute(request, place, store, manifest, (), listener, spawner, prepared)


def resume_locally(
    request: RunRequest, place: Place, listener: Listener, origin_run: str, from_step: str | None
) -> RunEnd:
    """Run what `origin_run` left undone, with the code as it is now, cloning the rest.

    Raises ReflowError, before a run id is used: an unknown run or step, a run that is still going.
    """
    with spawner_of(request) as spawner:
        store = open_flow(place, request.flow.name)
        origin = find_origin(store, origin_run, place)
        origin = replace(origin, tags=store.tags(origin.run))  # as they are now, not at its start
        plan = plan_resume(store, origin, request.flow.graph, from_step)
        prepared = prepare(
            request.flow,
            listener.preparing,
            origin=origin.environments,
            running=_to_run(request, plan.ends),
        )
        new_parameters = request.new_parameters
        request = replace(request, new_parameters=lambda known: keep_files(store, new_parameters(known)))
        code = keep_code(store, request.flow, alias=request.flow.alias or origin.code.alias)
        manifest = claim(
            store,
            request,
            lambda run: resume_manifest(request, run, code, origin, plan, from_step, prepared.kept),
        )
        hold(store, manifest)
        remember(place.memory, manifest.flow, LastRun(manifest.run, place.store_url, "resume"))
        request.on_claim(manifest)
        listener.run_starting(manifest)
        listener.resuming(manifest, plan)
        return execute(request, place, store, manifest, plan.ends, listener, spawner, prepared)


def _to_run(request: RunRequest, finished: Iterable[Succeeded]) -> set[str] | None:
    """The steps whose environments a resume needs; None where it's all the same."""
    if not wishes(request.flow):
        return None
    return steps_to_run(request.flow.graph, request.policies, finished)


def spawner_of(request: RunRequest) -> Spawner:
    """What starts the tasks. Opened before anything else: a fork is safe and small while this process has no threads
    and no connections."""
    flow = request.flow
    apart = wishes(flow)
    everywhere = len(apart) == len(flow.graph.steps)
    usual = open_spawner(
        flow.script,
        alias=flow.alias,
        fresh_process=request.limits.fresh_process or everywhere,
        detach=own_group if request.terminal else os.setsid,
    )
    return BothWays(usual) if apart and not everywhere else usual


def open_flow(place: Place, flow: str) -> FlowStore:
    """The flow's part of the store, once the store is known to be usable."""
    objects = open_store_long_lived(place.store_url)
    try:
        objects.check()
    except ReflowError as error:
        raise type(error)(f"{error} (The store was set by {place.found_by}.)") from error
    return FlowStore(objects, flow)


def find_origin(store: FlowStore, run: str, place: Place) -> Manifest:
    """The run to resume. Raises NotFound where there's none, ReflowError where it still runs."""
    try:
        origin = store.manifest(run)
    except NotFound:
        raise NotFound(
            f"Run {run} of {store.flow} isn't in the store {place.store_url} (set by {place.found_by}). "
            f"Name another run with --origin-run-id, or another store with --store."
        ) from None
    refuse_a_running(store, run)
    return origin


def refuse_a_running(store: FlowStore, run: str) -> None:
    """Raise ReflowError where somebody still works on the run."""
    life = store.liveness(run)
    if life.alive:
        where = f" (process {life.pid} on {life.host})" if life.pid else ""
        raise ReflowError(
            f"Run {run} of {store.flow} is still running{where}, so it can't be resumed. "
            f"Wait for its end, or stop it first."
        )


def claim(store: FlowStore, request: RunRequest, make: Callable[[str], Manifest]) -> Manifest:
    """Claim the first wanted id that is free or already the owner's, or the next number."""
    for wanted in request.wanted[:-1]:
        with suppress(RunExists):
            return store.claim(make, wanted)
    return store.claim(make, request.wanted[-1] if request.wanted else None)


def keep_code(store: FlowStore, flow: Flow, *, alias: bool) -> CodeRef:
    """The script as it is now, kept with the run."""
    sha256 = store.put_code(pack_file(flow.script.read_bytes()))
    return CodeRef(script=flow.script.name, sha256=sha256, alias=alias)


def execute(
    request: RunRequest,
    place: Place,
    store: FlowStore,
    manifest: Manifest,
    finished: Iterable[Succeeded],
    listener: Listener,
    spawner: Spawner,
    prepared: Prepared,
) -> RunEnd:
    """Run a claimed run's tasks, write its end. One that was claimed before, and cut short, goes on."""
    again = manifest.created != request.created
    if again:
        refuse_a_running(store, manifest.run)
        store.reopen(manifest.run)
    ends = ends_of(store.index(manifest.run)) if again else finished
    state, starts = RunState.rebuild(request.flow.graph, request.policies, ends)
    end = carry_out(request, place, store, manifest, state, starts, listener, spawner, prepared)
    call_hooks(request.flow, place.store_url, manifest, end)
    return end


def carry_out(
    request: RunRequest,
    place: Place,
    store: FlowStore,
    manifest: Manifest,
    state: Progress,
    starts: Iterable[Start],
    listener: Listener,
    spawner: Spawner,
    prepared: Prepared,
) -> RunEnd:
    """Run these tasks of a claimed run, and those that `state` says come after them; write its end."""
    with ExitStack() as stack:
        signals = stack.enter_context(StopSignals())
        stack.enter_context(store.keep_alive(manifest.run, manifest.owner))
        store.check_claim(manifest.run)
        ledger = stack.enter_context(BackgroundLedger(store.ledger(manifest.run)))
        supervisor = stack.enter_context(Supervisor(store, manifest.run))
        signals.then = supervisor.patience.end
        executor = LocalExecutor(
            manifest=manifest,
            state=state,
            supervisor=supervisor,
            spawner=spawner,
            spec_of=lambda start: task_spec(request, place, manifest, start, prepared),
            ledger=ledger,
            listener=listener,
            signals=signals,
            max_workers=request.limits.max_workers,
            clock=time.time,
            terminal=stack.enter_context(Terminal()) if request.terminal else None,
        )
        end = executor.run(starts)
        supervisor.patience(lambda: still_there(store, manifest))
        supervisor.patience(lambda: store.finish(manifest.run, end))
    listener.run_ended(manifest, end)
    return end


def still_there(store: FlowStore, manifest: Manifest) -> None:
    """Raises NotFound where the store has vanished meanwhile: an end without its run would be found by nobody."""
    if not store.has_run(manifest.run):
        raise NotFound(
            f"The run {manifest.flow}/{manifest.run} is gone from the store {store.objects.url}: it was deleted, or the"
            " store was, or it isn't mounted any more. Once it's there again, resume the run."
        )


def task_spec(
    request: RunRequest, place: Place, manifest: Manifest, start: Start, prepared: Prepared
) -> TaskSpec:
    """What a task's process is told."""
    return TaskSpec(
        store=place.store_url,
        flow=manifest.flow,
        run=manifest.run,
        key=start.key,
        script=str(request.flow.script),
        digest=manifest.digest,
        attempt=start.attempt,
        launch=start.launch,
        fallback=start.fallback,
        alias=manifest.code.alias,
        max_num_splits=request.limits.max_num_splits,
        timeout=request.policies[start.key.step].timeout,
        user=request.user,
        namespace=request.namespace,
        shown=shown_name(request.flow.script),
        terminal=request.terminal,
        post_mortem=request.post_mortem,
        full_traceback=request.full_traceback,
        given=request.given,
        **prepared.of(start.key.step),
    )
