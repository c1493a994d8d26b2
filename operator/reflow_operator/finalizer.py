"""Our finalizer on a FlowRun: there from before its run is claimed until its end is written, so that a
deletion ends it."""

from __future__ import annotations

from reflow_operator.constants import FINALIZER
from reflow_operator.kube import errors, paths
from reflow_operator.kube.client import Cluster
from reflow_operator.objects import ObjectCache, ObjectKey


class Finalizer:
    """Puts it on and takes it off. Raises Conflict where the object has changed meanwhile: look again."""

    def __init__(self, cluster: Cluster, objects: ObjectCache) -> None:
        self._cluster = cluster
        self._objects = objects

    async def put_on(self, key: ObjectKey) -> None:
        """Nothing to do where it is on already."""
        present = self._present(key)
        if present is not None and FINALIZER not in present:
            await self._set(key, [*present, FINALIZER])

    async def take_off(self, key: ObjectKey) -> None:
        """Nothing to do where it isn't on, or where the object is gone."""
        present = self._present(key)
        if present is not None and FINALIZER in present:
            await self._set(key, [name for name in present if name != FINALIZER])

    def _present(self, key: ObjectKey) -> list[str] | None:
        obj = self._objects.get(key)
        return None if obj is None else list(obj["metadata"].get("finalizers") or ())

    async def _set(self, key: ObjectKey, finalizers: list[str]) -> None:
        obj = self._objects.get(key) or {}
        version = (obj.get("metadata") or {}).get("resourceVersion")
        body = {"metadata": {"finalizers": finalizers, "resourceVersion": version}}
        try:
            answer = await self._cluster.patch(paths.custom(key.plural, key.namespace, key.name), body)
        except errors.NotFound:
            return
        self._objects.put(key, answer)
