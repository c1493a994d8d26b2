"""The operator's process: settings, login, kopf, informer, workers, probes; SIGTERM ends it in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence

import kopf

from reflow_operator import constants, logs, probes
from reflow_operator.app import Application, build, pod_defaults
from reflow_operator.handlers import make_registry, operator_settings
from reflow_operator.kube import errors
from reflow_operator.kube.client import Cluster, KubeClient
from reflow_operator.kube.config import ClusterAccess, NoCluster, find_access
from reflow_operator.metrics import Metrics
from reflow_operator.settings import Settings, parse_settings
from reflow_operator.stores import SecretStores

log = logging.getLogger(__name__)
CRD_SECONDS = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM. Exit codes: 0 ended as told, 1 something broke (a restart is due), 2 wrong
    settings."""
    settings = parse_settings(sys.argv[1:] if arguments is None else arguments, os.environ)
    logs.set_up(settings.log_format, settings.log_level)
    try:
        access = find_access()
    except NoCluster as error:
        log.error("%s", error)
        return 2
    if settings.runtime_mode != "image" and not settings.runtime_image:
        log.error("--runtime-image is needed: the image that has the runtime, which every Pod gets")
        return 2
    try:
        asyncio.run(operate(settings, access))
    except KeyboardInterrupt:
        return 0
    except Exception:
        log.exception("the operator ends, because something broke")
        return 1
    return 0


async def operate(settings: Settings, access: ClusterAccess) -> None:
    """Everything that runs side by side. When kopf ends, on a signal, the rest is cancelled."""
    metrics = Metrics()
    client = KubeClient(
        access,
        qps=settings.qps,
        burst=settings.burst,
        parallel=settings.parallel_requests,
        observe=metrics.request,
    )
    async with client as cluster:
        stores = SecretStores(cluster, settings.store_threads)
        app = build(cluster, stores, settings, await pod_defaults(cluster, settings), metrics)
        ready, stop = asyncio.Event(), asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                work = [group.create_task(app.run())]
                if settings.probe_port:
                    work.append(group.create_task(_probes(settings, app, ready, metrics)))
                await crds_are_there(cluster)
                watches = group.create_task(_kopf(settings, access, app, ready, stop))
                await _told_to_end(watches, ready, stop)
                log.info("the operator was told to end")
                # First ours: kopf waits for all tasks that began after it did.
                for task in work:
                    task.cancel()
                await asyncio.wait(work)
                stop.set()
        finally:
            stores.close()


async def crds_are_there(cluster: Cluster) -> None:
    """Wait for the kinds that are watched: kopf looks for them once, at its start."""
    wanted = {constants.FLOWRUNS, constants.RESUMES}
    while True:
        try:
            found = await cluster.get(f"/apis/{constants.API_VERSION}")
            missing = wanted - {str(kind.get("name")) for kind in found.get("resources") or ()}
        except (errors.NotFound, errors.Retryable) as error:
            missing = wanted
            log.info("%s", error)
        if not missing:
            return
        log.warning(
            "the cluster has no %s yet; the chart, or crds/, brings them", " and ".join(sorted(missing))
        )
        await asyncio.sleep(CRD_SECONDS)


async def _told_to_end(watches: asyncio.Task[None], ready: asyncio.Event, stop: asyncio.Event) -> None:
    """Until a signal comes, or kopf ends by itself. kopf sets signal handlers at its start; ours take their
    place."""
    begun = asyncio.ensure_future(ready.wait())
    await asyncio.wait([watches, begun], return_when=asyncio.FIRST_COMPLETED)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    told = asyncio.ensure_future(stop.wait())
    await asyncio.wait([watches, told], return_when=asyncio.FIRST_COMPLETED)
    begun.cancel()
    told.cancel()


async def _kopf(
    settings: Settings, access: ClusterAccess, app: Application, ready: asyncio.Event, stop: asyncio.Event
) -> None:
    await kopf.operator(
        registry=make_registry(access, app.objects, app.queue),
        settings=operator_settings(),
        standalone=True,
        clusterwide=settings.clusterwide,
        namespaces=settings.namespaces,
        ready_flag=ready,
        stop_flag=stop,
    )


async def _probes(settings: Settings, app: Application, ready: asyncio.Event, metrics: Metrics) -> None:
    def alive() -> str:
        if app.informer.stale:
            return f"the Pods' watch has been silent for {app.informer.silence():.0f} s"
        return ""

    def is_ready() -> str:
        if not ready.is_set():
            return "the watches of FlowRuns and Resumes aren't there yet"
        return "" if app.informer.synced.is_set() else "the Pods aren't listed yet"

    await probes.serve(settings.probe_port, alive=alive, ready=is_ready, metrics=metrics.text)


if __name__ == "__main__":
    sys.exit(main())
