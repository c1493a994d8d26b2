"""`reflow apply --local -f FILE`: FlowRuns and Resumes in the foreground, by the same engine, without a cluster.

What an API server would do is done here: the CRDs' schemas check the manifests, an object that was applied before and
is the same is left alone, one that differs is refused, and a run that was cut short goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from reflow.cli.console import Console, console_for
from reflow.cli.main import guarded
from reflow.cli.running import exit_code
from reflow.graph.build import from_class, from_text
from reflow.graph.digest import digest
from reflow.graph.policy import policies_of
from reflow.launch.applied import Applied, note, note_first, noted
from reflow.launch.lastrun import nearest_memory
from reflow.launch.locally import Place, find_origin, open_flow, resume_locally, run_locally
from reflow.launch.request import Flow, Limits, RunRequest
from reflow.launch.sources import imports_metaflow, kept_script, materialised
from reflow.manifests.kept import request_of, spec_of
from reflow.manifests.overrides import policy_overrides, resumed
from reflow.manifests.read import read
from reflow.manifests.types import FlowRun, FlowRunSpec, Inline, Resume, ResumeSpec
from reflow.sdk.identity import user_name
from reflow.sdk.parameters import resolve_new, resolve_values
from reflow.store.open import find_store
from reflow.store.values import Manifest, RunEnd
from reflow.task.load import load_script
from reflow.values.dataclass import replace
from reflow.values.errors import FlowError, NotFound, UsageError

Object = FlowRun | Resume


def apply(options: argparse.Namespace) -> int:
    """All objects of all files in their order; all are checked before the first runs. The worst exit code."""
    if not options.local:
        raise UsageError(
            "`reflow apply` runs manifests on this machine: add --local. For a cluster, use `kubectl apply -f`."
        )
    objects = [found.manifest for file in options.files for found in read(file)]
    if len(objects) == 1:
        return apply_one(objects[0], options)
    return max((in_a_process_of_its_own(partial(apply_one, one, options)) for one in objects), default=0)


def in_a_process_of_its_own(command: Callable[[], int]) -> int:
    """Each script is loaded as `__main__`, and a process has only one."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = guarded(command)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def apply_one(applied_object: Object, options: argparse.Namespace) -> int:
    """Apply one object and follow its run to the end."""
    cwd = Path.cwd()
    memory = nearest_memory(cwd)
    found = find_store(options.store, None, cwd, os.environ)
    place = Place(store_url=found.url, found_by=found.where, memory=memory)
    if isinstance(applied_object, FlowRun):
        return apply_flowrun(applied_object, place, options)
    return apply_resume(applied_object, place, options)


def apply_flowrun(flowrun: FlowRun, place: Place, options: argparse.Namespace) -> int:
    """A plain run, under the run id that a cluster would give it."""
    spec = flowrun.spec
    if spec.resume_from is not None:
        raise UsageError("spec.resumeFrom is set by the operator for a Resume: apply a Resume instead.")
    applied = remembered("FlowRun", flowrun.meta.name, spec, place)
    if (over := already_over(applied)) is not None:
        return over
    store = open_flow(place, spec.flow)
    flow, flow_class = loaded(materialised(spec.code, store, place.memory), spec.flow, alias=False)
    values = resolve_values(flow_class, spec.parameters, user=user_name())
    request = request_for(flow, applied, options, spec, values)
    return followed(applied, place, request, lambda asked: watched(partial(run_locally, asked, place)))


def apply_resume(resume: Resume, place: Place, options: argparse.Namespace) -> int:
    """A resume of the run that a name or an id stands for."""
    spec = resume.spec
    applied = remembered("Resume", resume.meta.name, spec, place)
    if (over := already_over(applied)) is not None:
        return over
    flow_name, origin_run = origin_of(spec, place)
    store = open_flow(place, flow_name)
    origin = find_origin(store, origin_run, place)
    script = (
        materialised(spec.code, store, place.memory)
        if spec.code
        else kept_script(origin, store, place.memory)
    )
    flow, flow_class = loaded(script, flow_name, alias=origin.code.alias)
    request = request_for(flow, applied, options, resumed(spec_of(origin), spec, origin.run), {})
    request = replace(request, new_parameters=partial(resolve_new, flow_class, user=user_name()))
    return followed(
        applied,
        place,
        request,
        lambda asked: watched(
            lambda console: resume_locally(asked, place, console, origin_run, spec.from_step)
        ),
    )


def watched(run: Callable[[Console], RunEnd]) -> RunEnd:
    """Run it, shown on the console."""
    with closing(console_for()) as console:
        return run(console)


def remembered(kind: str, name: str, spec: FlowRunSpec | ResumeSpec, place: Place) -> Applied:
    """The object as it was applied before, or as a new one. Raises UsageError where its spec has changed."""
    said = fixed_part(spec)
    before = noted(place.memory, kind, name)
    if before is None or before.store != place.store_url:
        return Applied(kind, name, str(uuid.uuid4()), said, store=place.store_url)
    changed = [field for field in said if said[field] != before.spec.get(field)]
    if changed and not before.run:
        return replace(before, spec=said)  # it was refused, so nothing of it has run
    if changed:
        raise UsageError(
            f"{kind} {name} was applied before, and its spec.{changed[0]} can't be changed. "
            f"Give the changed one another name."
        )
    return before


def fixed_part(spec: FlowRunSpec | ResumeSpec) -> dict[str, Any]:
    """The fields of a spec that can't be changed, as plain JSON."""
    free = {"suspend", "cancel", "max_workers", "active_deadline_seconds", "ttl_seconds_after_finished"}
    whole: dict[str, Any] = json.loads(json.dumps(asdict(spec), default=str))
    return {name: value for name, value in whole.items() if name not in free}


def already_over(applied: Applied) -> int | None:
    """The exit code of an object whose run has ended: applying it again does nothing."""
    if not applied.ended:
        return None
    print(f"{applied.resource} unchanged: its run {applied.run} {applied.ended}.", flush=True)
    return 0 if applied.ended == "succeeded" else 1


def origin_of(spec: ResumeSpec, place: Place) -> tuple[str, str]:
    """The flow and run that a Resume names. Raises NotFound, UsageError."""
    if spec.origin_ref is not None:
        for kind in ("FlowRun", "Resume"):
            found = noted(place.memory, kind, spec.origin_ref)
            if found is not None and found.run and found.store == place.store_url:
                return found.flow, found.run
        raise NotFound(
            f"spec.originRef.name is {spec.origin_ref}, and no FlowRun or Resume of that name has run here. "
            f"Apply it first, or name its run with spec.originRunID and spec.flow."
        )
    flow = spec.flow
    if flow is None and isinstance(spec.code, Inline):
        flow = from_text(spec.code.text, spec.code.script).graph.flow
    if flow is None or spec.origin_run_id is None:
        raise UsageError("spec.originRunID needs spec.flow beside it: run ids are counted per flow.")
    return flow, spec.origin_run_id


def loaded(script: Path, wanted: str, *, alias: bool) -> tuple[Flow, type]:
    """The script as this process's `__main__`, and its graph. Raises FlowError."""
    alias = alias or imports_metaflow(script)
    flow_class = load_script(script, alias=alias, flow_class=wanted).flow_class
    if flow_class.__name__ != wanted:
        raise FlowError(f"spec.flow is {wanted}, and the code's flow is {flow_class.__name__}.")
    graph = from_class(flow_class)
    return Flow(name=wanted, script=script, alias=alias, graph=graph, digest=digest(graph)), flow_class


def request_for(
    flow: Flow,
    applied: Applied,
    options: argparse.Namespace,
    spec: FlowRunSpec,
    parameters: Mapping[str, Any],
) -> RunRequest:
    """What the object asks for, as the laptop's executor takes it."""
    steps = {name: override for name, override in spec.steps.items() if name in flow.graph.steps}
    unknown = [name for name in applied.spec.get("steps") or () if name not in steps]
    if unknown:
        raise UsageError(
            f"spec.steps.{unknown[0]}: {flow.name} has no such step; it has {', '.join(flow.graph.steps)}."
        )
    return RunRequest(
        flow=flow,
        owner=applied.uid,
        user=user_name(),
        created=time.time(),
        policies=policies_of(flow.graph, policy_overrides(steps)),
        parameters=parameters,
        limits=Limits(max_workers=spec.max_workers, fresh_process=options.fresh_process),
        asked=request_of(spec),
        wanted=run_id_of(applied),
    )


def run_id_of(applied: Applied) -> tuple[str, ...]:
    """As in a cluster: `k8s-<name>`, and where another object's run has that, with the start of the UID behind it."""
    return (f"k8s-{applied.name}", f"k8s-{applied.name}-{applied.uid[:5]}")


def followed(applied: Applied, place: Place, request: RunRequest, run: Callable[[RunRequest], RunEnd]) -> int:
    """Run it, and remember the object as it goes."""

    def claimed(manifest: Manifest) -> None:
        print(f"{applied.resource} {'goes on' if applied.run else 'created'}", flush=True)
        note(place.memory, replace(applied, flow=manifest.flow, run=manifest.run))

    applied = note_first(
        place.memory, applied
    )  # its UID first: a claim that is cut short is found again by it
    end = run(replace(request, owner=applied.uid, wanted=run_id_of(applied), on_claim=claimed))
    known = noted(place.memory, applied.kind, applied.name) or applied
    if end.succeeded or end.failed_step:
        note(place.memory, replace(known, ended="succeeded" if end.succeeded else "failed"))
    return exit_code(end)
