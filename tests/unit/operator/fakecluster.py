"""A small Kubernetes API in memory: lists, watches with history, patches, selectors, deletions with
finalizers.

Watches can be made to fail or to lose their place. Only what the operator uses is there.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from reflow_operator.kube.client import NO_PARAMS, Json, Params
from reflow_operator.kube.errors import AlreadyExists, Conflict, Gone, KubeError, NotFound, Retryable
from reflow_operator.status import timestamp

Fault = Callable[[str, str], KubeError | None]


class FakeCluster:
    """Objects by URL path. `fault(verb, path)` may give an error to raise instead."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.logs: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.fault: Fault = lambda verb, path: None
        self.on_change: Callable[[str, str, Json], None] = lambda kind, path, obj: None
        self._versions = itertools.count(1)
        self._uids = itertools.count(1)
        self._history: list[tuple[int, str, str, Json]] = []
        self._watchers: set[asyncio.Queue[BaseException | None]] = set()

    # What tests do

    def apply(self, path: str, obj: Mapping[str, Any]) -> Json:
        """Create an object, as a user does."""
        name = obj["metadata"]["name"]
        return self._store("ADDED", f"{path}/{name}", self._new(obj))

    def change(self, path: str, change: Callable[[Json], None]) -> None:
        """Change an object in place."""
        obj = copy.deepcopy(self.objects[path])
        change(obj)
        self._store("MODIFIED", path, obj)

    def remove(self, path: str) -> None:
        """The object is gone, finalizers or not."""
        obj = self.objects.pop(path)
        obj["metadata"]["resourceVersion"] = str(next(self._versions))
        self._tell("DELETED", path, obj)

    def of(self, kind: str) -> dict[str, Json]:
        """All objects of a kind, such as `pods`."""
        return {path: obj for path, obj in self.objects.items() if path.split("/")[-2] == kind}

    def lose_place(self) -> None:
        """All watches end, and their place in history is forgotten."""
        self._history.clear()
        for watcher in self._watchers:
            watcher.put_nowait(Gone(410, "Expired", "too old"))

    def drop_watches(self) -> None:
        """All watches break; they may go on where they were."""
        for watcher in self._watchers:
            watcher.put_nowait(Retryable(0, "", "connection lost", after=0.0))

    # The API

    async def get(self, path: str, params: Params = NO_PARAMS) -> Json:
        self._asked("get", path)
        if path in self.objects:
            return copy.deepcopy(self.objects[path])
        if path.rsplit("/", 1)[-1] in ("pods", "flowruns", "resumes"):
            found = [copy.deepcopy(obj) for _, obj in self._selected(path, params)]
            return {"items": found, "metadata": {"resourceVersion": str(next(self._versions))}}
        raise NotFound(404, "NotFound", f"{path} not found")

    async def text(self, path: str, params: Params = NO_PARAMS) -> str:
        self._asked("get", path)
        if path not in self.logs:
            raise NotFound(404, "NotFound", "no log")
        return self.logs[path]

    async def create(self, path: str, body: Json) -> Json:
        self._asked("create", path)
        full = f"{path}/{body['metadata']['name']}"
        if full in self.objects:
            raise AlreadyExists(409, "AlreadyExists", f"{full} is there")
        return copy.deepcopy(self._store("ADDED", full, self._new(body)))

    async def patch(self, path: str, body: Json) -> Json:
        self._asked("patch", path)
        is_status = path.endswith("/status")
        target = path.removesuffix("/status")
        if target not in self.objects:
            raise NotFound(404, "NotFound", f"{target} not found")
        obj = copy.deepcopy(self.objects[target])
        wanted = (body.get("metadata") or {}).get("resourceVersion")
        if wanted is not None and wanted != obj["metadata"]["resourceVersion"]:
            raise Conflict(409, "Conflict", "changed meanwhile")
        _merge(obj, {"status": body.get("status")} if is_status else body)
        if not is_status and "spec" in body:
            obj["metadata"]["generation"] += 1
        stored = self._store("MODIFIED", target, obj)
        if obj["metadata"].get("deletionTimestamp") and not obj["metadata"].get("finalizers"):
            self.remove(target)
        return copy.deepcopy(stored)

    async def delete(self, path: str, params: Params = NO_PARAMS) -> None:
        self._asked("delete", path)
        if path in self.objects:
            self._delete(path)
        elif path.rsplit("/", 1)[-1] == "pods":
            for each in [path for path, _ in self._selected(path, params)]:
                self._delete(each)
        else:
            raise NotFound(404, "NotFound", f"{path} not found")

    async def watch(self, path: str, params: Params) -> AsyncIterator[Json]:
        since = int(params["resourceVersion"])
        if self._history and self._history[0][0] > since + 1 and since < self._history[0][0] - 1000:
            raise Gone(410, "Expired", "too old")
        wake: asyncio.Queue[BaseException | None] = asyncio.Queue()
        self._watchers.add(wake)
        try:
            while True:
                for version, kind, where, obj in list(self._history):
                    if version > since and _below(path, where) and _matches(obj, params):
                        yield {"type": kind, "object": copy.deepcopy(obj)}
                    since = max(since, version)
                error = await wake.get()
                if error is not None:
                    raise error
        finally:
            self._watchers.discard(wake)

    # Inside

    def _asked(self, verb: str, path: str) -> None:
        self.requests.append((verb, path))
        error = self.fault(verb, path)
        if error is not None:
            raise error

    def _new(self, body: Mapping[str, Any]) -> Json:
        obj: Json = copy.deepcopy(dict(body))
        obj["metadata"] = {
            "uid": f"{next(self._uids):05d}-uid",
            "generation": 1,
            "creationTimestamp": timestamp(time.time()),
            **obj["metadata"],
        }
        obj.setdefault("status", {})
        return obj

    def _store(self, kind: str, path: str, obj: Json) -> Json:
        obj["metadata"]["resourceVersion"] = str(next(self._versions))
        self.objects[path] = obj
        self._tell(kind, path, obj)
        return obj

    def _delete(self, path: str) -> None:
        obj = self.objects[path]
        if obj["metadata"].get("finalizers"):
            self.change(path, lambda it: it["metadata"].update(deletionTimestamp=timestamp(time.time())))
        else:
            self.remove(path)

    def _tell(self, kind: str, path: str, obj: Json) -> None:
        self._history.append((int(obj["metadata"]["resourceVersion"]), kind, path, copy.deepcopy(obj)))
        for watcher in self._watchers:
            watcher.put_nowait(None)
        self.on_change(kind, path, copy.deepcopy(obj))

    def _selected(self, path: str, params: Params) -> list[tuple[str, Json]]:
        return [
            (where, obj)
            for where, obj in self.objects.items()
            if _below(path, where) and _matches(obj, params)
        ]


def _below(collection: str, path: str) -> bool:
    if collection == "/api/v1/pods":
        return path.split("/")[-2] == "pods"
    return path.rsplit("/", 1)[0] == collection


def _matches(obj: Json, params: Params) -> bool:
    labels = obj["metadata"].get("labels") or {}
    for term in filter(None, params.get("labelSelector", "").split(",")):
        name, equals, value = term.partition("=")
        if name not in labels or (equals and labels[name] != value):
            return False
    phase = (obj.get("status") or {}).get("phase", "Pending")
    for term in filter(None, params.get("fieldSelector", "").split(",")):
        unequal = "!=" in term
        if (phase == term.rpartition("=")[2]) == unequal:
            return False
    return True


def _merge(obj: Json, patch: Mapping[str, Any]) -> None:
    for name, value in patch.items():
        if value is None:
            obj.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(obj.get(name), dict):
            _merge(obj[name], value)
        else:
            obj[name] = copy.deepcopy(value)
