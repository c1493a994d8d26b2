"""Writes statuses: at most once a second for each object, only what changed, never an older one over a newer
one.

Events that tell of a change are posted after its status was written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from reflow_operator.kube import errors, paths
from reflow_operator.kube.client import Cluster
from reflow_operator.kubeevents import EventPoster, Note
from reflow_operator.objects import ObjectCache, ObjectKey
from reflow_operator.status import Summary, merge_patch, render

log = logging.getLogger(__name__)
INTERVAL = 1.0


class StatusWriter:
    """See the module's docstring. One writer for the whole process."""

    def __init__(
        self, cluster: Cluster, objects: ObjectCache, events: EventPoster, clock: Callable[[], float]
    ) -> None:
        self._cluster = cluster
        self._objects = objects
        self._events = events
        self._clock = clock
        self._locks: dict[ObjectKey, asyncio.Lock] = {}
        self._written: dict[ObjectKey, float] = {}

    @asynccontextmanager
    async def exclusive(self, key: ObjectKey) -> AsyncIterator[None]:
        """Keep other writers of this object out: what is summarised within can't be overtaken."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            yield

    def wait(self, key: ObjectKey) -> float:
        """Seconds until the object's status may be written again."""
        last = self._written.get(key)
        return 0.0 if last is None else max(0.0, last + INTERVAL - asyncio.get_running_loop().time())

    async def write(
        self,
        key: ObjectKey,
        summary: Summary,
        notes: Sequence[Note] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the summary if it says anything new; call it within `exclusive`. `extra`: more fields of the
        status.

        Raises KubeError; an object that is gone is no error.
        """
        obj = self._objects.get(key)
        if obj is None:
            return
        old = obj.get("status") or {}
        new = {**render(summary, old, self._clock()), **(extra or {})}
        await self.patch(key, merge_patch(old, new))
        for note in notes:
            self._events.post(note)

    async def patch(self, key: ObjectKey, changes: Mapping[str, Any] | None) -> None:
        """Write some fields of a status as they are."""
        if changes is None:
            return
        path = paths.status(key.plural, key.namespace, key.name)
        try:
            answer = await self._cluster.patch(path, {"status": dict(changes)})
        except errors.NotFound:
            log.info("%s is gone; its status isn't written", key)
            return
        self._written[key] = asyncio.get_running_loop().time()
        self._objects.put(key, answer)

    def forget(self, key: ObjectKey) -> None:
        """The object is gone."""
        self._written.pop(key, None)
        lock = self._locks.get(key)
        if lock is not None and not lock.locked():
            del self._locks[key]
