"""A whole small world for the operator: a fake cluster and kubelet, a real folder store, the real
reconcilers.

The operator can be killed and started again at any moment.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from reflow.store.flowstore import FlowStore
from reflow.store.folder import FolderStore
from reflow.store.objects import ObjectStore
from reflow_operator import constants, statuswriter
from reflow_operator.app import Application, build
from reflow_operator.handlers import hear
from reflow_operator.held import Held
from reflow_operator.kube import paths
from reflow_operator.metrics import Metrics
from reflow_operator.pods import PodDefaults
from reflow_operator.settings import Settings
from reflow_operator.stores import in_thread
from tests.unit.operator.fakecluster import FakeCluster
from tests.unit.operator.fakekubelet import Behave, Ending, FakeKubelet

P = ParamSpec("P")
T = TypeVar("T")
FLOWRUNS = paths.custom(constants.FLOWRUNS, "team")
RESUMES = paths.custom(constants.RESUMES, "team")
PODS = paths.pods("team")
PATIENCE = 20.0


class FolderStores:
    """A folder for every namespace. `held`: raised instead of any use."""

    def __init__(self, root: Path) -> None:
        self._objects = FolderStore(root)
        self._pool = ThreadPoolExecutor(4)
        self._flows: dict[str, FlowStore] = {}
        self.held: Held | None = None

    async def flow(self, namespace: str, flow: str) -> FlowStore:
        if self.held:
            raise self.held
        return self._flows.setdefault(flow, FlowStore(self._objects, flow))

    async def objects(self, namespace: str) -> ObjectStore:
        return self._objects

    async def call(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        if self.held:
            raise self.held
        return await in_thread(self._pool, work, *arguments, **named)

    def forget(self, namespace: str) -> None:
        return None

    def close(self) -> None:
        self._pool.shutdown()


class World:
    """See the module's docstring."""

    def __init__(self, root: Path, behave: Behave = lambda pod: Ending(), flow: str = "DebugFlow") -> None:
        self.cluster = FakeCluster()
        self.stores = FolderStores(root)
        self.store = FlowStore(FolderStore(root), flow)
        self.kubelet = FakeKubelet(self.cluster, self.store, behave)
        self.cluster.on_change = self._changed
        self.app: Application | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the operator: it hears of every object, as at any start."""
        settings = Settings(runtime_image="runtime:1", default_image="python:3.12")
        defaults = PodDefaults(image="python:3.12", runtime_image="runtime:1")
        self.app = build(self.cluster, self.stores, settings, defaults, Metrics())
        self._task = asyncio.create_task(self.app.run())
        for kind in (constants.FLOWRUNS, constants.RESUMES):
            for obj in self.cluster.of(kind).values():
                hear(kind, {"type": None, "object": copy.deepcopy(obj)}, self.app.objects, self.app.queue)

    async def kill(self) -> None:
        """The operator is gone, whatever it was at."""
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self.app = None

    def _changed(self, kind: str, path: str, obj: dict[str, Any]) -> None:
        self.kubelet.look(kind, path, obj)
        plural = path.split("/")[-2]
        if self.app is not None and plural in (constants.FLOWRUNS, constants.RESUMES):
            hear(plural, {"type": kind, "object": obj}, self.app.objects, self.app.queue)

    # Looking

    def status(self, name: str, kind: str = FLOWRUNS) -> dict[str, Any]:
        obj = self.cluster.objects.get(f"{kind}/{name}") or {}
        return dict(obj.get("status") or {})

    def condition(self, name: str, kind: str, where: str = FLOWRUNS) -> dict[str, Any]:
        for entry in self.status(name, where).get("conditions") or ():
            if entry["type"] == kind:
                return dict(entry)
        return {}

    def pods(self) -> list[str]:
        return [path for path in self.cluster.objects if path.startswith(PODS)]

    def pod_of(self, step: str) -> str:
        return next(path for path in self.pods() if f"-{step}-" in path)

    async def until(self, true: Callable[[], Any], what: str = "") -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, f"waited in vain {what}: {self.status('debug-1')}"
            await asyncio.sleep(0.005)

    async def until_condition(self, name: str, kind: str, where: str = FLOWRUNS) -> dict[str, Any]:
        await self.until(
            lambda: self.condition(name, kind, where).get("status") == "True", f"for {name} {kind}"
        )
        return self.condition(name, kind, where)

    async def settled(self) -> None:
        """Until the operator has nothing to do just now."""
        assert self.app is not None
        for _ in range(3):
            await self.until(lambda: self.app is not None and self.app.queue.idle and self.app.statuses.idle)
            await asyncio.sleep(0.02)


def play(world_of: Callable[[], World], script: Callable[[World], Any]) -> World:
    """Run a script against a world whose operator runs."""
    statuswriter.INTERVAL = 0.01

    async def played() -> World:
        world = world_of()
        world.start()
        try:
            await script(world)
        finally:
            if world.app is not None:
                await world.kill()
            world.stores.close()
        return world

    return asyncio.run(played())
