"""A cache of Pods that follows the API server: list in pages, watch, and list again when the watch loses
its place.

Each object is projected at once into a small value (`project`) and forgotten. A listener hears of each
change with the new value; of one that is no more, with the last value known. Rules, all within one event
loop:

- what is older than what is known (by resourceVersion) is dropped, so answers to creates can be fed in
  (`observe`) without a race against the watch;
- what is known, older than a new list, and not in it, has vanished while no one watched: the listener is
  told;
- an object that was deleted doesn't come back by a late answer.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from reflow_operator.kube.client import QUIET_SECONDS, Cluster
from reflow_operator.kube.errors import Gone, KubeError

log = logging.getLogger(__name__)
PAGE = 500
BACKOFF_SECONDS = (0.5, 30.0)
REMEMBERED_DEATHS = 10_000


class Projected(Protocol):
    """What an informer needs to know of its values."""

    @property
    def uid(self) -> str:
        """The object's UID."""

    @property
    def namespace(self) -> str:
        """The object's namespace."""

    @property
    def version(self) -> int:
        """The object's resourceVersion."""


V = TypeVar("V", bound=Projected)


@dataclass(frozen=True, slots=True)
class Scope:
    """One list and watch: its path, and its namespace or None for all."""

    path: str
    namespace: str | None


class Informer(Generic[V]):
    """See the module's docstring. `run` goes on until it is cancelled."""

    def __init__(
        self,
        cluster: Cluster,
        scopes: tuple[Scope, ...],
        selector: str,
        project: Callable[[Mapping[str, Any]], V | None],
        on_change: Callable[[V, bool], None],
    ) -> None:
        """`project`: None for an object that isn't ours. `on_change(value, gone)`."""
        self._cluster = cluster
        self._scopes = scopes
        self._selector = selector
        self._project = project
        self._on_change = on_change
        self._known: dict[str, V] = {}
        self._dead: OrderedDict[str, None] = OrderedDict()
        self._unsynced = {scope.path for scope in scopes}
        self._heard: dict[str, float] = {}
        self.synced = asyncio.Event()

    def __len__(self) -> int:
        return len(self._known)

    def values(self) -> Iterator[V]:
        """All that is known now."""
        return iter(tuple(self._known.values()))

    def silence(self) -> float:
        """Seconds since the quietest watch was last heard of; a live one is heard of every minute."""
        now = asyncio.get_running_loop().time()
        return max((now - heard for heard in self._heard.values()), default=0.0)

    @property
    def stale(self) -> bool:
        """Whether a watch has been silent for so long that what is known here can't be relied on."""
        return self.silence() > 3 * QUIET_SECONDS

    async def run(self) -> None:
        """Follow all scopes."""
        async with asyncio.TaskGroup() as group:
            for scope in self._scopes:
                group.create_task(self._follow(scope), name=f"informer {scope.path}")

    def observe(self, obj: Mapping[str, Any]) -> V | None:
        """Take in an object that the API server answered with, as if the watch had brought it."""
        value = self._project(obj)
        if value is not None:
            self._take(value)
        return value

    async def _follow(self, scope: Scope) -> None:
        self._heard[scope.path] = asyncio.get_running_loop().time()
        pause, longest = BACKOFF_SECONDS
        version: str | None = None
        while True:
            try:
                if version is None:
                    version = await self._list(scope)
                async for event in self._cluster.watch(scope.path, self._watching(version)):
                    version = self._event(event) or version
                    self._heard[scope.path] = asyncio.get_running_loop().time()
                    pause = BACKOFF_SECONDS[0]
                continue
            except Gone:
                log.info("the watch of %s lost its place and lists again", scope.path)
                version = None
                continue
            except KubeError as error:
                log.warning("the watch of %s failed and is tried again: %s", scope.path, error)
            await asyncio.sleep(pause * (0.5 + random.random()))
            pause = min(pause * 2, longest)

    def _watching(self, version: str) -> dict[str, str]:
        return {"labelSelector": self._selector, "resourceVersion": version}

    async def _list(self, scope: Scope) -> str:
        params = {"labelSelector": self._selector, "limit": str(PAGE)}
        seen: set[str] = set()
        while True:
            page = await self._cluster.get(scope.path, params)
            for obj in page.get("items") or ():
                if (value := self._project(obj)) is not None:
                    seen.add(value.uid)
                    self._take(value)
            meta = page.get("metadata") or {}
            if not meta.get("continue"):
                break
            params["continue"] = meta["continue"]
        version = str(meta.get("resourceVersion", "0"))
        self._forget_missing(scope, seen, int(version))
        self._heard[scope.path] = asyncio.get_running_loop().time()
        self._unsynced.discard(scope.path)
        if not self._unsynced:
            self.synced.set()
        return version

    def _forget_missing(self, scope: Scope, seen: set[str], version: int) -> None:
        for value in self.values():
            ours = scope.namespace is None or value.namespace == scope.namespace
            if ours and value.uid not in seen and value.version <= version:
                self._bury(value)

    def _event(self, event: Mapping[str, Any]) -> str | None:
        """Take in one event of a watch and return its resourceVersion."""
        obj = event.get("object") or {}
        if event.get("type") != "BOOKMARK":
            value = self._project(obj)
            if value is not None and event.get("type") == "DELETED":
                self._bury(value)
            elif value is not None:
                self._take(value)
        version = (obj.get("metadata") or {}).get("resourceVersion")
        return str(version) if version else None

    def _take(self, value: V) -> None:
        known = self._known.get(value.uid)
        if value.uid in self._dead or (known is not None and known.version >= value.version):
            return
        self._known[value.uid] = value
        self._on_change(value, False)

    def _bury(self, value: V) -> None:
        if value.uid in self._dead:
            return
        self._known.pop(value.uid, None)
        self._dead[value.uid] = None
        if len(self._dead) > REMEMBERED_DEATHS:
            self._dead.popitem(last=False)
        self._on_change(value, True)
