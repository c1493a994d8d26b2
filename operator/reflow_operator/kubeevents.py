"""Events on FlowRuns and Resumes, for `kubectl describe`: posted in the background, lost rather than waited
for.

One for a change of phase, a failure, what a resume reuses: never one a task, since 10,000 of them would be
a burden to the cluster and of no use to a reader.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reflow_operator import constants
from reflow_operator.kube import errors, paths
from reflow_operator.kube.client import Cluster
from reflow_operator.objects import ObjectKey
from reflow_operator.status import timestamp

log = logging.getLogger(__name__)
KINDS = {constants.FLOWRUNS: "FlowRun", constants.RESUMES: "Resume"}
QUEUE_LIMIT = 1000
MESSAGE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Note:
    """One event to be. `warning`: something went wrong."""

    key: ObjectKey
    uid: str
    reason: str
    message: str
    warning: bool = False


class EventPoster:
    """See the module's docstring."""

    def __init__(self, cluster: Cluster, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._clock = clock
        self._notes: asyncio.Queue[Note] = asyncio.Queue(QUEUE_LIMIT)

    def post(self, note: Note) -> None:
        """Have an event posted soon."""
        try:
            self._notes.put_nowait(note)
        except asyncio.QueueFull:
            log.warning("too many events wait to be posted; dropped: %s %s", note.key, note.message)

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            note = await self._notes.get()
            try:
                await self._cluster.create(paths.events(note.key.namespace), self._event(note))
            except errors.KubeError as error:
                log.warning("the event %r of %s couldn't be posted: %s", note.reason, note.key, error)

    def _event(self, note: Note) -> dict[str, Any]:
        now = timestamp(self._clock())
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{note.key.name[:200]}.{os.urandom(6).hex()}",
                "namespace": note.key.namespace,
            },
            "involvedObject": {
                "apiVersion": constants.API_VERSION,
                "kind": KINDS[note.key.plural],
                "namespace": note.key.namespace,
                "name": note.key.name,
                "uid": note.uid,
            },
            "type": "Warning" if note.warning else "Normal",
            "reason": note.reason,
            "message": note.message[:MESSAGE_LIMIT],
            "source": {"component": "reflow-operator"},
            "reportingComponent": "reflow.dev/operator",
            "reportingInstance": os.uname().nodename,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
