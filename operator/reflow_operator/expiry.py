"""`ttlSecondsAfterFinished`: an object that is over goes when its time is up, and with it, by ownership, its Pods."""

from __future__ import annotations

from collections.abc import Callable

from reflow_operator.kube import errors, paths
from reflow_operator.kube.client import Cluster
from reflow_operator.objects import ObjectCache, ObjectKey
from reflow_operator.podview import seconds


class Expiry:
    """Deletes what is past its time."""

    def __init__(self, cluster: Cluster, objects: ObjectCache, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._objects = objects
        self._clock = clock

    async def look(self, key: ObjectKey, ttl: int | None) -> float | None:
        """Delete the object if its time is up; else in how many seconds it will be, None for never."""
        obj = self._objects.get(key)
        completed = seconds(((obj or {}).get("status") or {}).get("completionTime"))
        if obj is None or ttl is None or completed is None or obj["metadata"].get("deletionTimestamp"):
            return None
        left = completed + ttl - self._clock()
        if left > 0:
            return left
        path = paths.custom(key.plural, key.namespace, key.name)
        try:
            await self._cluster.delete(path, {"propagationPolicy": "Background"})
        except errors.NotFound:
            self._objects.remove(key)
        return None
