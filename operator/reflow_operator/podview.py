"""A Pod in a few hundred bytes: what deciding needs, taken from the API server's JSON at once. Pure.

At 10,000 Pods whole objects would be hundreds of megabytes, and most of their fields are never asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reflow.values.key import TaskKey
from reflow_operator import constants

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PodView:
    """One of our Pods. Times are seconds since the epoch, None where Kubernetes gives none.

    `run_uid` and `run`: its FlowRun. `key` is None for the Pod that reads a graph. `reason` and `message`:
    the Pod's own (`Evicted`), `exit_reason` the container's (`OOMKilled`), `waiting` why a container hasn't
    started (`ImagePullBackOff`), `unschedulable` why the Pod has no node, `disruption` why the cluster
    takes it away.
    """

    namespace: str
    name: str
    uid: str
    version: int
    run: str
    run_uid: str
    key: TaskKey | None = None
    attempt: int = 0
    launch: int = 0
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    exit_reason: str = ""
    termination: str = ""
    waiting: str = ""
    waiting_message: str = ""
    unschedulable: str = ""
    disruption: str = ""
    node: str = ""
    created: float | None = None
    started: float | None = None
    finished: float | None = None
    deletion: float | None = None

    @property
    def ended(self) -> bool:
        """Whether its containers have ended for good."""
        return self.phase in ("Succeeded", "Failed")


def view(obj: Object) -> PodView | None:
    """The Pod as a view; None for one that no FlowRun owns."""
    meta = obj.get("metadata") or {}
    labels = meta.get("labels") or {}
    owner = _owner(meta)
    if owner is None or constants.LABEL_RUN_UID not in labels:
        return None
    status = obj.get("status") or {}
    spec = obj.get("spec") or {}
    key, attempt, launch = _task(meta)
    ended = _ended(status)
    waiting = _waiting(status)
    conditions = {entry.get("type"): entry for entry in status.get("conditions") or ()}
    return PodView(
        namespace=str(meta.get("namespace", "")),
        name=str(meta.get("name", "")),
        uid=str(meta.get("uid", "")),
        version=int(meta.get("resourceVersion") or 0),
        run=str(owner.get("name", "")),
        run_uid=str(owner.get("uid", "")),
        key=key,
        attempt=attempt,
        launch=launch,
        phase=str(status.get("phase", "Pending")),
        reason=str(status.get("reason", "")),
        message=str(status.get("message", ""))[:500],
        exit_code=ended.get("exitCode"),
        exit_reason=str(ended.get("reason", "")),
        termination=str(ended.get("message", "")),
        waiting=str(waiting.get("reason", "")),
        waiting_message=str(waiting.get("message", ""))[:500],
        unschedulable=_unschedulable(conditions.get("PodScheduled")),
        disruption=_disruption(conditions.get("DisruptionTarget")),
        node=str(spec.get("nodeName", "")),
        created=seconds(meta.get("creationTimestamp")),
        started=seconds(ended.get("startedAt") or _started(status)),
        finished=seconds(ended.get("finishedAt")),
        deletion=seconds(meta.get("deletionTimestamp")),
    )


def seconds(timestamp: Any) -> float | None:
    """Kubernetes' time as seconds since the epoch."""
    if not isinstance(timestamp, str):
        return None
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return None


def _owner(meta: Object) -> Object | None:
    for reference in meta.get("ownerReferences") or ():
        if reference.get("kind") == "FlowRun" and reference.get("controller"):
            return dict(reference)
    return None


def _task(meta: Object) -> tuple[TaskKey | None, int, int]:
    text = (meta.get("annotations") or {}).get(constants.ANNOTATION_TASK)
    if not text:
        return None, 0, 0
    try:
        task = json.loads(text)
        key = TaskKey(str(task["step"]), _numbers(task.get("foreach")), _numbers(task.get("loop")))
        return key, int(task.get("attempt", 0)), int(task.get("launch", 0))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, 0, 0  # someone edited the annotation: the Pod is as good as not ours


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(int(number) for number in value or ())


def _ours(status: Object) -> Object:
    """The status of our container: by its name, else the first."""
    statuses = status.get("containerStatuses") or ()
    for entry in statuses:
        if entry.get("name") == constants.CONTAINER:
            return dict(entry)
    return dict(statuses[0]) if statuses else {}


def _ended(status: Object) -> Object:
    return (_ours(status).get("state") or {}).get("terminated") or {}


def _started(status: Object) -> Any:
    return ((_ours(status).get("state") or {}).get("running") or {}).get("startedAt")


def _waiting(status: Object) -> Object:
    """The first container that can't start, init containers before ours; plain waiting for one's turn isn't
    told.
    """
    for entry in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (entry.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") not in ("PodInitializing", "ContainerCreating"):
            return dict(waiting)
    return {}


def _unschedulable(condition: Object | None) -> str:
    if condition and condition.get("status") == "False" and condition.get("reason") == "Unschedulable":
        return str(condition.get("message", "")) or "no node fits"
    return ""


def _disruption(condition: Object | None) -> str:
    if condition and condition.get("status") == "True":
        return str(condition.get("reason", "")) or "DisruptionTarget"
    return ""
