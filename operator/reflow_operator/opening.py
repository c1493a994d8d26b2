"""From a FlowRun to a run under way: checked first, then claimed in the store, then rebuilt from what is
known of it.

Nothing is written before the code and parameters are known to be good, and the same again after a crash
anywhere finds what it left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reflow.engine.clone import Again
from reflow.engine.events import Failed, Lost, Start, Succeeded, TaskEnd
from reflow.engine.state import RunState
from reflow.graph.build import Unsettled
from reflow.graph.policy import policies_of
from reflow.graph.types import Graph
from reflow.launch.holding import hold
from reflow.launch.preparing import steps_to_run
from reflow.launch.resuming import plan_resume
from reflow.manifests.kept import request_of
from reflow.manifests.overrides import policy_overrides
from reflow.manifests.types import FlowRun, FlowRunSpec, ImageCode, Inline, Package
from reflow.store import layout
from reflow.store.flowstore import FlowStore
from reflow.store.package import pack_file, read_script
from reflow.store.values import CodeRef, IndexEntry, Manifest, Origin, RunEnd
from reflow.values.errors import CorruptObject, FlowError, NewerFormat, NotFound
from reflow.values.key import TaskKey
from reflow.values.policy import StepPolicy
from reflow_operator.claiming import claim
from reflow_operator.constants import ANNOTATION_RUN_AGAIN, Reason
from reflow_operator.ends import Unclear, Unloadable, read_end
from reflow_operator.environments import settled
from reflow_operator.held import Refused
from reflow_operator.objects import ObjectKey
from reflow_operator.pods import Owner
from reflow_operator.podview import PodView
from reflow_operator.reporting import Ending, ending_words
from reflow_operator.running import Run
from reflow_operator.source import Source, read_code
from reflow_operator.status import AgainNote

SCRIPT_LIMIT = 1 << 20
PACKAGE_LIMIT = 32 << 20  # bytes that the operator reads of one package at most
MESSAGES_READ = 50


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a manifest is made of, and what a resume takes over and runs again.

    `made` gathers the manifests that `make` made: a claimed one that is among them was put just now.
    """

    make: Callable[[str], Manifest]
    made: list[Manifest]
    taken_over: Sequence[TaskEnd] = ()
    again: tuple[AgainNote, ...] = ()


# Checking, in a thread: these read the store


def read_source(store: FlowStore, spec: FlowRunSpec) -> tuple[Source, CodeRef, bytes | None]:
    """The code's graph and parameters, and the package to put. Raises Refused, Unsettled."""
    resumed = spec.resume_from is not None
    match spec.code:
        case Inline(text, script):
            package = pack_file(text.encode())
            source = read_code(text, script, spec.flow, spec.parameters, resumed=resumed)
            return source, CodeRef(script, None, source.alias), package
        case Package(sha256, script):
            text = _script_of(store, sha256, script)
            source = read_code(text, script, spec.flow, spec.parameters, resumed=resumed)
            return source, CodeRef(script, sha256, source.alias), None
        case ImageCode(path):
            raise Unsettled(f"the code is in the image, at {path}")


def prepare(
    store: FlowStore, flowrun: FlowRun, source: Source, code: CodeRef, package: bytes | None, now: float
) -> Prepared:
    """Put the code, and for a resume decide what is cloned. Raises Refused."""
    spec = flowrun.spec
    treatment = policies(source.graph, spec)
    if package is not None:
        code = CodeRef(code.script, store.put_code(package), code.alias)
    origin: Origin | None = None
    taken_over: Sequence[TaskEnd] = ()
    made: list[Manifest] = []
    again: tuple[AgainNote, ...] = ()
    parameters: Mapping[str, Any] = source.values
    configs = source.configs
    tags: tuple[str, ...] = ()
    known: Mapping[str, Any] = {}
    clones: Mapping[str, tuple[TaskKey, ...]] = {}
    if spec.resume_from is not None:
        found = origin_manifest(store, spec.resume_from.run_id)
        from_step = spec.resume_from.from_step
        try:
            plan = plan_resume(store, found, source.graph, from_step)
        except FlowError as error:
            raise Refused(Reason.INVALID_SPEC, str(error)) from error
        origin = Origin(run=found.run, from_step=from_step)
        parameters, tags, clones = found.parameters, found.tags, plan.clones
        configs = found.configs or configs
        code = CodeRef(code.script, code.sha256, code.alias or found.code.alias)
        taken_over, again = plan.ends, again_notes(plan.again)
        known = found.environments
    environments = settled(
        store, source.graph, code.sha256, known, steps_to_run(source.graph, treatment, taken_over)
    )
    request = request_of(spec)

    def make(run: str) -> Manifest:
        manifest = Manifest(
            flow=spec.flow,
            run=run,
            owner=flowrun.meta.uid,
            created=now,
            graph=source.graph,
            digest=source.digest,
            code=code,
            parameters=parameters,
            origin=origin,
            clones=clones,
            tags=tags,
            place="cluster",
            request=request,
            configs=configs,
            environments=environments,
        )
        made.append(manifest)
        return manifest

    return Prepared(make, made, taken_over, again)


def origin_manifest(store: FlowStore, run: str) -> Manifest:
    """The run to go on from. Raises Refused where there's none, or where it still runs."""
    try:
        origin = store.manifest(run)
    except NotFound as error:
        raise Refused(
            Reason.ORIGIN_NOT_FOUND, f"There is no run {run} of {store.flow} to go on from: {error}"
        ) from error
    except NewerFormat as error:
        raise Refused(Reason.NEWER_FORMAT, str(error)) from error
    if store.end(run) is None and store.liveness(run).alive:
        raise Refused(
            Reason.ORIGIN_RUNNING,
            f"Run {run} of {store.flow} is still running, so it can't be resumed. Wait for its end, or cancel"
            " it first; then make the Resume again.",
        )
    return origin


def claim_run(store: FlowStore, flowrun: FlowRun, prepared: Prepared) -> Manifest:
    """The run's manifest in the store, and from now on what it clones stays there. Raises Refused."""
    again = flowrun.meta.annotations.get(ANNOTATION_RUN_AGAIN, "").lower() not in ("", "false", "no", "0")
    manifest = claim(store, flowrun.meta.name, flowrun.meta.uid, prepared.make, again=again)
    if store.end(manifest.run) is None:
        store.renew(manifest.run, manifest.owner)
        try:
            hold(store, manifest)
        except NotFound as error:
            raise Refused(Reason.ORIGIN_NOT_FOUND, str(error)) from error
    return manifest


def policies(graph: Graph, spec: FlowRunSpec) -> dict[str, StepPolicy]:
    """Each step's retries, delay, timeout. Raises Refused for an override of a step that the flow doesn't
    have."""
    try:
        return policies_of(graph, policy_overrides(spec.steps))
    except FlowError as error:
        raise Refused(Reason.INVALID_SPEC, str(error)) from error


def again_notes(again: Sequence[Again]) -> tuple[AgainNote, ...]:
    """What runs again although the origin had finished it, for the status: one entry a step."""
    found: dict[str, AgainNote] = {}
    for entry in again:
        why = f"left out: {entry.why}" if entry.gone else entry.why
        known = found.get(entry.step)
        tasks, reason = (known.tasks, f"{known.reason}; {why}") if known else (0, why)
        found[entry.step] = AgainNote(entry.step, tasks + entry.count, reason)
    return tuple(found.values())


def _script_of(store: FlowStore, sha256: str, script: str) -> str:
    try:
        kept = store.objects.stat(layout.code(store.flow, sha256))
        if kept is not None and kept.size > PACKAGE_LIMIT:
            raise Refused(
                Reason.INVALID_CODE,
                f"The code package {sha256} is larger than {PACKAGE_LIMIT >> 20} MiB. Keep data out of it.",
            )
        data = store.code(sha256)
        store.put_code(data)  # again where it's old: gc mustn't take it before a run refers to it
        text = read_script(data, script, SCRIPT_LIMIT)
    except NotFound as error:
        raise Refused(Reason.INVALID_CODE, f"spec.code.package: {error}") from error
    except CorruptObject as error:
        raise Refused(Reason.INVALID_CODE, f"The code package {sha256} can't be used: {error}") from error
    if text is None:
        raise Refused(
            Reason.INVALID_CODE,
            f"The code package {sha256} has no file {script!r}, or one larger than {SCRIPT_LIMIT >> 20} MiB.",
        )
    return text


# Rebuilding


def read_known(store: FlowStore, run: str, with_pods: frozenset[object]) -> list[TaskEnd]:
    """What the store knows of a run, in a thread.

    The failures' own words are read only of tasks that no Pod (`with_pods`: keys) can tell of.
    """
    index = store.index(run)
    failed = [entry.key for entry in index if not entry.status.finished and entry.key not in with_pods]
    known: list[TaskEnd] = []
    for key in failed[:MESSAGES_READ]:
        for record in store.failures(run, key):
            line = record.exception.line if record.exception else "failed"
            known.append(Failed(key, record.attempt, record.launch, record.ended, line, final=record.final))
    known += map(_end_of, index)
    return known


def rebuild(
    key: ObjectKey,
    flowrun: FlowRun,
    manifest: Manifest,
    store: FlowStore,
    known: Sequence[TaskEnd],
    pods: Sequence[PodView],
    again: tuple[AgainNote, ...],
    now: float,
    image_patience: float,
) -> tuple[Run, list[PodView]]:
    """The run in memory, and the Pods that have still to be looked at: they live, or didn't say how they
    ended."""
    ends, open_pods = _of_pods(pods, now, image_patience)
    ends += known
    launched = [Start(pod.key, attempt=pod.attempt, launch=pod.launch) for pod in open_pods if pod.key]
    treatment = policies(manifest.graph, flowrun.spec)
    state, starts = RunState.rebuild(manifest.graph, treatment, ends, running=launched)
    meta = flowrun.meta
    owner = Owner(meta.namespace, meta.name, meta.uid, manifest.flow, manifest.run)
    cloned = Counter(key.step for keys in manifest.clones.values() for key in keys)
    run = Run(key, owner, flowrun.spec, manifest, store, state, treatment, cloned=cloned, again=again)
    run.waiting.add(starts)
    run.told_failure = state.failure is not None
    seen = {pod.name for pod in open_pods}
    for pod in pods:
        if pod.name not in seen and pod.key is not None:
            run.ended_pods.add(pod.name)
            run.undeleted += 1
            if pod.phase == "Failed":
                run.failed_pods[pod.key] = pod.name
    return run, open_pods


def _of_pods(
    pods: Sequence[PodView], now: float, image_patience: float
) -> tuple[list[TaskEnd], list[PodView]]:
    ends: list[TaskEnd] = []
    open_pods: list[PodView] = []
    for pod in pods:
        end = read_end(pod, gone=False, now=now, image_patience=image_patience)
        if isinstance(end, Succeeded | Failed | Lost):
            ends.append(end)
        elif end is None or isinstance(end, Unclear | Unloadable):
            open_pods.append(pod)
    return ends, open_pods


def _end_of(entry: IndexEntry) -> TaskEnd:
    """A failed attempt's launch isn't in the index: it was at least as late as the attempt's number."""
    if entry.status.finished:
        return Succeeded(entry.key, width=entry.width, case=entry.case)
    return Failed(entry.key, entry.attempt, entry.attempt, 0.0, "")


def notes_of(status: Mapping[str, Any]) -> tuple[AgainNote, ...]:
    """What a status says runs again: it was worked out when the run began, and isn't worked out anew."""
    return tuple(
        AgainNote(str(entry.get("step", "")), int(entry.get("tasks") or 0), str(entry.get("reason", "")))
        for entry in status.get("again") or ()
    )


def ending_of(run: Run, end: RunEnd, uid: str) -> Ending:
    """How a run that has its end in the store ended. `uid`: the FlowRun's, which may not be the run's"
    " owner."""
    if end.succeeded:
        reason, message = str(Reason.SUCCEEDED), ending_words(run, Reason.SUCCEEDED)
    elif end.failed_step:
        reason = Reason.TASK_FAILED
        message = f"Step {end.failed_step} (task {end.failed_task}) failed: {end.message}"
    else:
        reason, message = Reason.CANCELLED, end.message
        for known in (Reason.DELETED, Reason.DEADLINE):
            if end.message == ending_words(run, known):
                reason = known
    if run.manifest.owner != uid:
        message = (
            f"A FlowRun of this name with the same spec has run already, as {run.manifest.run}, and its run"
            f" stands for this one. To run again, set the annotation {ANNOTATION_RUN_AGAIN}. {message}"
        )
    return Ending(reason, message, end.ended)
