"""A Resume's reconcile: it settles which run it goes on from, makes a FlowRun of its own name, and mirrors
its status.

The origin's run id is written first and never looked up again, so that it doesn't matter what becomes of the
origin's object, or who takes its name. The origin itself is never touched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from reflow.graph.build import Unsettled, read_source
from reflow.manifests.dump import flowrun_spec
from reflow.manifests.kept import spec_of
from reflow.manifests.overrides import resumed
from reflow.manifests.parse import ManifestError, parse_flowrun_spec, parse_resume
from reflow.manifests.types import FlowRunSpec, Inline, Resume
from reflow.values.errors import FlowError, NotFound
from reflow_operator import constants, reporting, status
from reflow_operator.constants import Reason
from reflow_operator.expiry import Expiry
from reflow_operator.held import Held, Refused
from reflow_operator.kube import errors, paths
from reflow_operator.kube.client import Cluster
from reflow_operator.kubeevents import EventPoster, Note
from reflow_operator.objects import ObjectCache, ObjectKey
from reflow_operator.statuswriter import StatusWriter
from reflow_operator.stores import Stores

log = logging.getLogger(__name__)
Json = dict[str, Any]
MIRRORED = (
    "phase",
    "runID",
    "progress",
    "counts",
    "steps",
    "failure",
    "again",
    "startTime",
    "completionTime",
)
KEPT = ("flowRun", "runID", "counts", "steps", "failure", "again", "startTime")  # also where it fails itself
PASSED_ON = ("suspend", "cancel", "maxWorkers", "activeDeadlineSeconds", "ttlSecondsAfterFinished")


class Resumes:
    """See the module's docstring."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        stores: Stores,
        objects: ObjectCache,
        writer: StatusWriter,
        events: EventPoster,
        expiry: Expiry,
        clock: Callable[[], float],
    ) -> None:
        self._cluster = cluster
        self._stores = stores
        self._objects = objects
        self._writer = writer
        self._events = events
        self._expiry = expiry
        self._clock = clock

    async def reconcile(self, key: ObjectKey) -> float | None:
        """One step; in how many seconds the next is due by the clock alone."""
        obj = self._objects.get(key)
        if obj is None:
            self._writer.forget(key)
            return None
        try:
            try:
                return await self._reconcile(key, obj, parse_resume(obj))
            except ManifestError as error:
                raise Refused(Reason.INVALID_SPEC, str(error)) from error
            except errors.Invalid as error:
                raise Refused(Reason.INVALID_SPEC, error.message) from error
        except Refused as refused:
            await self._refuse(key, obj, refused)
            return None
        except Held as held:
            generation = int(obj["metadata"].get("generation") or 0)
            origin = (obj.get("status") or {}).get("originRunID")
            async with self._writer.exclusive(key):
                await self._writer.write(key, reporting.pending(generation, held, origin))
            return held.after
        except errors.Conflict:
            return 0.2
        except errors.Retryable as error:
            log.warning("%s: %s", key, error)
            return max(1.0, error.after)

    async def _reconcile(self, key: ObjectKey, obj: Json, resume: Resume) -> float | None:
        if resume.meta.deletion_timestamp:
            return None  # the FlowRun is owned, and goes with it
        if status.ended(resume.status):
            return await self._expiry.look(key, resume.spec.ttl_seconds_after_finished)
        made_key = ObjectKey(constants.FLOWRUNS, key.namespace, key.name)
        made = await self._get(made_key)
        if made is None:
            if resume.status.get("runID"):
                raise Refused(Reason.DELETED, f"The FlowRun {key.name} of this Resume was deleted.")
            made = await self._make(key, obj, resume)
        if not _owned_by(made, resume.meta.uid):
            if owner_resume(made) == key.name or made["metadata"].get("deletionTimestamp"):
                return 1.0  # an earlier Resume's of this name, on its way out
            raise Refused(
                Reason.NAME_TAKEN,
                f"There is a FlowRun {key.name} already, and it isn't this Resume's. Give the Resume a name"
                " that no FlowRun has.",
            )
        await self._pass_on(made_key, made, obj)
        await self._mirror(key, self._objects.get(made_key) or made)
        return None

    async def _make(self, key: ObjectKey, obj: Json, resume: Resume) -> Json:
        run_id = resume.status.get("originRunID")
        if run_id is None:
            run_id = await self._origin_run(key, resume)
            async with self._writer.exclusive(key):
                await self._writer.patch(key, {"originRunID": run_id, "flowRun": key.name})
        base = await self._base_spec(key, resume, str(run_id))
        body = {
            "apiVersion": constants.API_VERSION,
            "kind": "FlowRun",
            "metadata": {
                "name": key.name,
                "namespace": key.namespace,
                "labels": dict(resume.meta.labels),
                "ownerReferences": [
                    {
                        "apiVersion": constants.API_VERSION,
                        "kind": "Resume",
                        "name": key.name,
                        "uid": resume.meta.uid,
                        "controller": True,
                        "blockOwnerDeletion": False,
                    }
                ],
            },
            "spec": flowrun_spec(resumed(base, resume.spec, str(run_id))),
        }
        path = paths.custom(constants.FLOWRUNS, key.namespace)
        try:
            made = await self._cluster.create(path, body)
            words = f"Created FlowRun {key.name}, which goes on from run {run_id}."
            self._events.post(Note(key, resume.meta.uid, Reason.CREATED, words))
        except errors.AlreadyExists:
            made = await self._cluster.get(paths.custom(constants.FLOWRUNS, key.namespace, key.name))
        return made

    # Which run

    async def _origin_run(self, key: ObjectKey, resume: Resume) -> str:
        """The run id that the origin stands for now. Raises Refused."""
        if resume.spec.origin_run_id is not None:
            return resume.spec.origin_run_id
        name = str(resume.spec.origin_ref)
        origin = await self._get(ObjectKey(constants.FLOWRUNS, key.namespace, name))
        if origin is None or name == key.name:
            raise Refused(
                Reason.ORIGIN_NOT_FOUND,
                f"There is no FlowRun {name} in namespace {key.namespace} to go on from."
                " If its object was deleted, name its run by originRunID.",
            )
        origin_status = origin.get("status") or {}
        if not status.ended(origin_status):
            raise Refused(
                Reason.ORIGIN_RUNNING,
                f"The FlowRun {name} isn't over yet, so it can't be resumed. Wait for its end, or cancel it"
                " first; then make the Resume again.",
            )
        if not origin_status.get("runID"):
            raise Refused(
                Reason.ORIGIN_NOT_FOUND, f"The FlowRun {name} never began, so there is nothing to go on from."
            )
        return str(origin_status["runID"])

    async def _base_spec(self, key: ObjectKey, resume: Resume, run_id: str) -> FlowRunSpec:
        """What the Resume's spec is laid over: the origin's spec, from its object or else from its run."""
        for other, obj in self._objects.items():
            if (
                other.plural == constants.FLOWRUNS
                and other.namespace == key.namespace
                and other.name != key.name
            ):
                origin_status = obj.get("status") or {}
                named = resume.spec.origin_ref in (None, other.name)
                if named and origin_status.get("runID") == run_id:
                    return parse_flowrun_spec(obj["spec"])
        flow = await self._flow_of(key, resume, run_id)
        store = await self._stores.flow(key.namespace, flow)
        try:
            manifest = await self._stores.call(store.manifest, run_id)
        except NotFound as error:
            raise Refused(Reason.ORIGIN_NOT_FOUND, str(error)) from error
        return spec_of(manifest)

    async def _flow_of(self, key: ObjectKey, resume: Resume, run_id: str) -> str:
        """The flow whose run it is: as the Resume says, as its code says, or the only one that has such a
        run."""
        if resume.spec.flow:
            return resume.spec.flow
        code = resume.spec.code
        if isinstance(code, Inline):
            try:
                return read_source(code.text, code.script).flow
            except FlowError as error:
                raise Refused(Reason.INVALID_CODE, str(error)) from error
            except Unsettled:
                pass
        objects = await self._stores.objects(key.namespace)
        flows = await self._stores.call(lambda: _flows_with(objects, run_id))
        if len(flows) != 1:
            which = f"several flows ({', '.join(flows)}) have" if flows else "no flow has"
            raise Refused(
                Reason.ORIGIN_NOT_FOUND, f"In the store, {which} a run {run_id}. Name the flow in spec.flow."
            )
        return flows[0]

    # The FlowRun that it made

    async def _get(self, key: ObjectKey) -> Json | None:
        """The object as the watches know it, else as the API server does."""
        known = self._objects.get(key)
        if known is not None:
            return known
        try:
            found = await self._cluster.get(paths.custom(key.plural, key.namespace, key.name))
        except errors.NotFound:
            return None
        self._objects.put(key, found)
        return found

    async def _pass_on(self, made_key: ObjectKey, made: Json, obj: Json) -> None:
        """What may change in the Resume changes in its FlowRun too."""
        wanted, there = obj.get("spec") or {}, made.get("spec") or {}
        changes = {
            name: wanted[name] for name in PASSED_ON if name in wanted and wanted[name] != there.get(name)
        }
        if changes:
            path = paths.custom(made_key.plural, made_key.namespace, made_key.name)
            self._objects.put(made_key, await self._cluster.patch(path, {"spec": changes}))

    async def _mirror(self, key: ObjectKey, made: Json) -> None:
        async with self._writer.exclusive(key):
            obj = self._objects.get(key)
            if obj is None:
                return
            old = obj.get("status") or {}
            new = mirrored(old, made.get("status") or {}, int(obj["metadata"].get("generation") or 0))
            new["flowRun"] = key.name
            await self._writer.patch(key, status.merge_patch(old, new))
            if status.ended(new) and not status.ended(old):
                self._post_end(key, obj, new)

    def _post_end(self, key: ObjectKey, obj: Json, new: Json) -> None:
        failed = status.condition(new, "Failed") or {}
        warning = failed.get("status") == "True"
        told = failed if warning else status.condition(new, "Complete") or {}
        uid = str(obj["metadata"].get("uid", ""))
        note = Note(key, uid, str(told.get("reason")), str(told.get("message")), warning=warning)
        self._events.post(note)

    async def _refuse(self, key: ObjectKey, obj: Json, refused: Refused) -> None:
        meta = obj["metadata"]
        old = obj.get("status") or {}
        origin = old.get("originRunID")
        kept = {name: old[name] for name in KEPT if name in old}
        generation = int(meta.get("generation") or 0)
        now = self._clock()
        summary = reporting.refused(generation, refused.reason, refused.message, now, origin)
        note = Note(key, str(meta.get("uid", "")), refused.reason, refused.message, warning=True)
        async with self._writer.exclusive(key):
            await self._writer.write(key, summary, [note], extra=kept)


def mirrored(old: Mapping[str, Any], made: Mapping[str, Any], generation: int) -> Json:
    """A Resume's status from its FlowRun's. What it said itself stays."""
    new = {name: value for name, value in old.items() if name in ("originRunID", "flowRun")}
    new |= {name: made[name] for name in MIRRORED if name in made}
    new["observedGeneration"] = generation
    new["conditions"] = [
        {**entry, "observedGeneration": generation} for entry in made.get("conditions") or ()
    ]
    return new


def owner_resume(obj: Mapping[str, Any]) -> str | None:
    """The name of the Resume that a FlowRun was made by."""
    for reference in (obj.get("metadata") or {}).get("ownerReferences") or ():
        if reference.get("kind") == "Resume" and reference.get("controller"):
            return str(reference.get("name"))
    return None


def _owned_by(obj: Mapping[str, Any], uid: str) -> bool:
    references = (obj.get("metadata") or {}).get("ownerReferences") or ()
    return any(reference.get("uid") == uid for reference in references)


def _flows_with(objects: Any, run_id: str) -> list[str]:
    """In a thread."""
    from reflow.store import layout

    return [
        flow
        for flow in objects.list_folders("")
        if objects.stat(layout.run(flow, run_id).manifest) is not None
    ]
