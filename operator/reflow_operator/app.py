"""How the operator's parts hang together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from reflow_operator import constants
from reflow_operator.beginning import Beginning
from reflow_operator.expiry import Expiry
from reflow_operator.finalizer import Finalizer
from reflow_operator.finishing import Finishing
from reflow_operator.graphs import GraphReader
from reflow_operator.keeping import Keeper
from reflow_operator.kube import paths
from reflow_operator.kube.client import Cluster
from reflow_operator.kube.informer import Informer, Scope
from reflow_operator.kubeevents import EventPoster
from reflow_operator.launching import Launcher
from reflow_operator.metrics import Metrics
from reflow_operator.objects import ObjectCache, ObjectKey
from reflow_operator.podbook import PodBook
from reflow_operator.pods import PodDefaults
from reflow_operator.podview import PodView, view
from reflow_operator.reconcile import FlowRuns, Queues
from reflow_operator.resumes import Resumes
from reflow_operator.settings import Settings
from reflow_operator.settling import Settling
from reflow_operator.statuswriter import StatusWriter
from reflow_operator.stores import Stores
from reflow_operator.workqueue import WorkQueue

log = logging.getLogger(__name__)
STATUS_WORKERS = 4
IMAGE_VOLUMES_SINCE = 35  # the minor version of Kubernetes 1 that has them on by default


@dataclass(frozen=True, slots=True)
class Application:
    """The parts that the outside needs: kopf feeds `objects` and `queue`, the probes ask the rest."""

    objects: ObjectCache
    queue: WorkQueue[ObjectKey]
    statuses: WorkQueue[ObjectKey]
    informer: Informer[PodView]
    keeper: Keeper
    events: EventPoster
    workers: int

    async def run(self) -> None:
        """Work until cancelled. Nothing is reconciled before the Pods are known."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.informer.run())
            group.create_task(self.events.run())
            group.create_task(self.keeper.run())
            group.create_task(self.statuses.run(STATUS_WORKERS))
            group.create_task(self._reconcile())

    async def _reconcile(self) -> None:
        await self.informer.synced.wait()
        await self.queue.run(self.workers)


def build(
    cluster: Cluster,
    stores: Stores,
    settings: Settings,
    defaults: PodDefaults,
    metrics: Metrics,
    clock: Callable[[], float] = time.time,
) -> Application:
    """Everything, made and connected; nothing runs yet."""
    objects = ObjectCache()
    events = EventPoster(cluster, clock)
    writer = StatusWriter(cluster, objects, events, clock)

    async def work(key: ObjectKey) -> float | None:
        began = time.monotonic()
        try:
            return await (flowruns if key.plural == constants.FLOWRUNS else resumes).reconcile(key)
        finally:
            metrics.took("reflow_reconcile_seconds", time.monotonic() - began)

    async def tell(key: ObjectKey) -> float | None:
        return await flowruns.tell(key)

    queue: WorkQueue[ObjectKey] = WorkQueue(work, name="reconcile")
    statuses: WorkQueue[ObjectKey] = WorkQueue(tell, name="status")
    book = PodBook(lambda pod: queue.add(ObjectKey(constants.FLOWRUNS, pod.namespace, pod.run)))
    scopes = tuple(Scope(paths.pods(name), name) for name in settings.namespaces or (None,))
    informer = Informer(cluster, scopes, constants.POD_SELECTOR, view, book.take)
    launcher = Launcher(cluster, book, informer.observe, defaults, clock)
    keeper = Keeper(stores, launcher.sweep)
    finalizer = Finalizer(cluster, objects)
    patience = settings.image_patience
    graphs = GraphReader(cluster, stores, book, informer.observe, defaults, clock, patience)
    expiry = Expiry(cluster, objects, clock)
    finishing = Finishing(
        stores=stores,
        objects=objects,
        launcher=launcher,
        finalizer=finalizer,
        expiry=expiry,
        writer=writer,
        clock=clock,
    )
    flowruns = FlowRuns(
        stores=stores,
        objects=objects,
        book=book,
        launcher=launcher,
        beginning=Beginning(stores, book, graphs, finalizer, clock, patience),
        settling=Settling(stores, launcher),
        finishing=finishing,
        keeper=keeper,
        writer=writer,
        events=events,
        queues=Queues(again=queue.add, tell=statuses.add_after),
        clock=clock,
        image_patience=patience,
    )
    resumes = Resumes(
        cluster=cluster,
        stores=stores,
        objects=objects,
        writer=writer,
        events=events,
        expiry=expiry,
        clock=clock,
    )
    metrics.gauge("reflow_queue_length", lambda: len(queue))
    metrics.gauge("reflow_status_queue_length", lambda: len(statuses))
    metrics.gauge("reflow_runs_active", lambda: len(flowruns))
    metrics.gauge("reflow_pods_known", lambda: len(informer))
    return Application(objects, queue, statuses, informer, keeper, events, settings.workers)


async def pod_defaults(cluster: Cluster, settings: Settings) -> PodDefaults:
    """What is the same for every Pod; `auto` is settled by the cluster's version."""
    mode = settings.runtime_mode
    if mode == "auto":
        version = await cluster.get("/version")
        minor = int("".join(digit for digit in str(version.get("minor", "0")) if digit.isdigit()) or 0)
        mode = "imageVolume" if minor >= IMAGE_VOLUMES_SINCE else "initContainer"
        log.info("Kubernetes 1.%d: the runtime gets into Pods by %s", minor, mode)
    return PodDefaults(
        image=settings.default_image,
        runtime_image=settings.runtime_image,
        runtime_mode=mode,
        pull_policy=settings.image_pull_policy,
        resources=settings.default_resources,
        grace_seconds=settings.grace_seconds,
    )
