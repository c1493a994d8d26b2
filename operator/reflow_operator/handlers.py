"""kopf's part: it watches FlowRuns and Resumes, and each event only updates the cache and enqueues a key.

Raw event handlers alone: nothing is stored on the objects, no finalizer is kopf's, and at a restart the
listing brings every object as an event again.
"""

from __future__ import annotations

from typing import Any

import kopf

from reflow_operator import constants
from reflow_operator.kube.config import Bearer, ClusterAccess
from reflow_operator.objects import ObjectCache, ObjectKey
from reflow_operator.resumes import owner_resume
from reflow_operator.workqueue import WorkQueue


class NoDiffBase(kopf.DiffBaseStorage):
    """Nothing is compared with what it was, so nothing is kept, and no body is copied for it."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        return None

    def store(self, **_: Any) -> None:
        return None


class NoProgress(kopf.ProgressStorage):
    """No handler has progress to keep."""

    def fetch(self, **_: Any) -> Any:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        return essence


def operator_settings() -> kopf.OperatorSettings:
    """kopf's settings: no traces on objects, watches that notice when they are dead."""
    settings = kopf.OperatorSettings()
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    settings.persistence.finalizer = f"{constants.GROUP}/unused"
    settings.posting.enabled = False
    settings.queueing.exit_timeout = 0.2  # events only enqueue: there is nothing to wait for
    settings.queueing.idle_timeout = 1.0
    settings.scanning.disabled = True
    settings.watching.chunk_size = 500
    settings.watching.connect_timeout = 5.0
    settings.networking.request_timeout = 30.0
    settings.networking.connect_timeout = 5.0
    return settings


def make_registry(
    access: ClusterAccess, objects: ObjectCache, queue: WorkQueue[ObjectKey]
) -> kopf.OperatorRegistry:
    """The handlers: a login, and one hook for each kind."""
    registry = kopf.OperatorRegistry()
    bearer = Bearer(access)

    async def login(**_: Any) -> kopf.ConnectionInfo:
        bearer.refused()  # kopf asks anew when the token it has is refused
        authorization = bearer.headers().get("Authorization", "")
        return kopf.ConnectionInfo(
            server=access.server,
            ca_data=access.ca,
            insecure=access.insecure,
            certificate_data=access.certificate,
            private_key_data=access.private_key,
            scheme="Bearer" if authorization else None,
            token=authorization.removeprefix("Bearer ") or None,
            default_namespace=access.namespace,
        )

    kopf.on.login(registry=registry)(login)

    def watch(plural: str) -> None:
        async def on_event(event: Any, **_: Any) -> None:
            hear(plural, event, objects, queue)

        kopf.on.event(constants.GROUP, constants.VERSION, plural, registry=registry, id=plural)(on_event)

    watch(constants.FLOWRUNS)
    watch(constants.RESUMES)
    return registry


def hear(plural: str, event: Any, objects: ObjectCache, queue: WorkQueue[ObjectKey]) -> None:
    """One event of a watch or listing."""
    obj = event["object"]
    meta = obj["metadata"]
    key = ObjectKey(plural, meta["namespace"], meta["name"])
    if event.get("type") == "DELETED":
        objects.remove(key)
    else:
        objects.put(key, obj)
    queue.add(key)
    resume = owner_resume(obj) if plural == constants.FLOWRUNS else None
    if resume is not None:
        queue.add(ObjectKey(constants.RESUMES, key.namespace, resume))
