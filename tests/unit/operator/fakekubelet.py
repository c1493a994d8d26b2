"""Runs Pods in no time: each gets the end that a test wants for it, its record in the store first, as a
runner does."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reflow.store.flowstore import FlowStore
from reflow.store.values import ExceptionInfo, Record, Status
from reflow.values.key import TaskKey
from reflow_operator.podview import PodView, view
from tests.unit.operator.fakecluster import FakeCluster


@dataclass(frozen=True, slots=True)
class Ending:
    """How a Pod ends. `record`: the runner left one; `message`: and said so; `vanish`: the Pod is gone at its
    end.

    `running`: it doesn't end. `status`: more of the Pod's status, such as a reason.
    """

    error: str | None = None
    width: int | None = None
    record: bool = True
    message: bool = True
    vanish: bool = False
    running: bool = False
    exit_code: int | None = None
    status: dict[str, Any] | None = None


Behave = Callable[[PodView], Ending]


class FakeKubelet:
    """See the module's docstring. `launched` counts the Pods by task."""

    def __init__(self, cluster: FakeCluster, store: FlowStore, behave: Behave) -> None:
        self.cluster = cluster
        self.store = store
        self.behave = behave
        self.launched: dict[TaskKey, int] = {}
        self._nonce = 0
        self._seen: set[str] = set()

    def look(self, kind: str, path: str, obj: dict[str, Any]) -> None:
        """A change in the cluster: a Pod that is new is run."""
        if kind != "ADDED" or path.split("/")[-2] != "pods" or obj["metadata"]["uid"] in self._seen:
            return
        self._seen.add(obj["metadata"]["uid"])
        asyncio.get_running_loop().call_soon(self._run, path, obj)

    def _run(self, path: str, obj: dict[str, Any]) -> None:
        pod = view(obj)
        if pod is None or pod.key is None or path not in self.cluster.objects:
            return
        self.launched[pod.key] = self.launched.get(pod.key, 0) + 1
        ending = self.behave(pod)
        if ending.running:
            self.cluster.change(path, lambda it: it["status"].update(phase="Running"))
        else:
            self.end(path, ending)

    def end(self, path: str, ending: Ending) -> None:
        """End a Pod."""
        pod = view(self.cluster.objects[path])
        assert pod is not None
        assert pod.key is not None
        task = json.loads(
            next(
                entry["value"]
                for entry in self.cluster.objects[path]["spec"]["containers"][0]["env"]
                if entry["name"] == "REFLOW_TASK"
            )
        )
        if ending.record:
            self.store.commit(task["run"], self._record(pod, ending))
        ended: dict[str, Any] = {
            "exitCode": ending.exit_code if ending.exit_code is not None else int(bool(ending.error))
        }
        if ending.message:
            ended["message"] = json.dumps(_said(pod, ending))
        state = [{"name": "task", "state": {"terminated": ended}}]
        phase = "Failed" if ending.error or ending.exit_code else "Succeeded"
        status = {"phase": phase, "containerStatuses": state, **(ending.status or {})}
        if not ending.vanish:
            self.cluster.change(path, lambda it: it["status"].update(status))
        else:
            self.cluster.remove(path)

    def _record(self, pod: PodView, ending: Ending) -> Record:
        assert pod.key is not None
        self._nonce += 1
        error = ExceptionInfo("ValueError", ending.error, "") if ending.error else None
        return Record(
            key=pod.key,
            attempt=pod.attempt,
            launch=pod.launch,
            nonce=f"pod-{self._nonce}",
            status=Status.FAILED if ending.error else Status.SUCCEEDED,
            started=time.time(),
            ended=time.time(),
            width=ending.width,
            exception=error,
        )


def _said(pod: PodView, ending: Ending) -> dict[str, Any]:
    said: dict[str, Any] = {
        "v": 1,
        "status": "failed" if ending.error else "succeeded",
        "attempt": pod.attempt,
    }
    if ending.error:
        said["error"] = f"ValueError: {ending.error}"
    if ending.width is not None:
        said["width"] = ending.width
    return said
