"""Creates and deletes a run's Pods.

Safe to repeat: a Pod's name follows from its launch, so that a second create is refused, and what is there is
looked at.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reflow.engine.events import Lost, Start
from reflow.environments.archive import archives_of
from reflow.task.spec import TaskSpec
from reflow_operator import constants
from reflow_operator.ends import Fault, Unclear
from reflow_operator.kube import errors, paths
from reflow_operator.kube.client import Cluster
from reflow_operator.podbook import PodBook
from reflow_operator.pods import PodDefaults, pod_name, task_pod
from reflow_operator.podview import PodView, view
from reflow_operator.running import Run

log = logging.getLogger(__name__)
LIVE = "status.phase!=Succeeded,status.phase!=Failed"
SUCCEEDED = "status.phase=Succeeded"
TAIL_LINES = "1000"
TAIL_BYTES = "65536"


class Launcher:
    """See the module's docstring. `observe`: the informer's."""

    def __init__(
        self,
        cluster: Cluster,
        book: PodBook,
        observe: Callable[[Mapping[str, Any]], object],
        defaults: PodDefaults,
        clock: Callable[[], float],
    ) -> None:
        self._cluster = cluster
        self._book = book
        self._observe = observe
        self._defaults = defaults
        self._clock = clock

    @property
    def grace(self) -> float:
        """Seconds that a Pod has to stop."""
        return float(self._defaults.grace_seconds)

    async def create(self, run: Run, starts: Sequence[Start]) -> None:
        """Create the Pods of these launches; those that can't be created now wait again, with `run.refused`
        set."""
        outcomes = await asyncio.gather(*(self._create(run, start) for start in starts))
        refusals = [outcome for outcome in outcomes if outcome is not None]
        run.waiting.put_back(start for start, _ in refusals)
        run.refused = refusals[0][1] if refusals else None

    async def _create(self, run: Run, start: Start) -> tuple[Start, str] | None:
        """Returns the start again, and why, where it couldn't be done now."""
        if pod_name(run.owner, start) in run.ended_pods:
            return None  # the answer to an earlier create was lost, and the Pod's end has been told already
        name = run.starting(start)
        pod = self._pod(run, start)
        try:
            self._observe(await self._cluster.create(paths.pods(run.owner.namespace), pod))
        except errors.AlreadyExists:
            return await self._look_at(run, start, name)
        except errors.Invalid as error:
            run.not_started(name)
            fault = Fault(f"its Pod is refused as invalid: {error.message}", final=True)
            now = self._clock()
            end = Unclear(start.key, start.attempt, start.launch, now, fault)
            run.unsettled.append((_no_pod(run, start, name, now), end))
        except errors.KubeError as error:
            run.not_started(name)
            return start, f"Pods can't be created: {error.message}"
        return None

    async def _look_at(self, run: Run, start: Start, name: str) -> tuple[Start, str] | None:
        """A Pod of this name is there already: ours from before, another operator's, or a stranger's."""
        try:
            found = view(await self._cluster.get(paths.pod(run.owner.namespace, name)))
        except errors.KubeError as error:
            run.not_started(name)
            return start, f"Pod {name} is there and yet isn't: {error.message}"
        if found is None or found.run_uid != run.owner.uid or found.key != start.key:
            run.not_started(name)
            run.fold(Lost(start.key, start.attempt, start.launch, f"another Pod has the name {name}"))
            return None
        self._book.touch(found)
        return None

    def _pod(self, run: Run, start: Start) -> dict[str, Any]:
        step = run.manifest.graph.steps[start.key.step]
        return task_pod(run.owner, run.spec, self._defaults, step, start, task_json(run, start))

    async def stop_all(self, run: Run) -> None:
        """Tell all of the run's Pods that haven't ended to stop."""
        await self._delete(run, LIVE)

    async def sweep(self, run: Run) -> None:
        """Delete the Pods of finished tasks. What was told of them is known, and their logs are in the
        store."""
        run.undeleted = 0
        await self._delete(run, SUCCEEDED)

    async def delete(self, pod: PodView) -> None:
        """Delete one Pod."""
        try:
            await self._cluster.delete(paths.pod(pod.namespace, pod.name))
        except errors.NotFound:
            return

    async def tail(self, pod: PodView) -> str:
        """The end of a Pod's output; empty where there's none to be had."""
        params = {"container": constants.CONTAINER, "tailLines": TAIL_LINES, "limitBytes": TAIL_BYTES}
        try:
            return await self._cluster.text(paths.pod_log(pod.namespace, pod.name), params)
        except errors.KubeError as error:
            log.info("the log of Pod %s/%s can't be had: %s", pod.namespace, pod.name, error)
            return ""

    async def _delete(self, run: Run, phases: str) -> None:
        selector = f"{constants.LABEL_RUN_UID}={run.owner.uid}"
        params = {"labelSelector": selector, "fieldSelector": phases}
        await self._cluster.delete(paths.pods(run.owner.namespace), params)


def task_json(run: Run, start: Start) -> dict[str, Any]:
    """What the Pod's runner is told."""
    manifest = run.manifest
    return TaskSpec(
        store=run.store.objects.url,
        flow=manifest.flow,
        run=manifest.run,
        key=start.key,
        script=manifest.code.script,
        digest=manifest.digest,
        attempt=start.attempt,
        launch=start.launch,
        fallback=start.fallback,
        code=manifest.code.sha256,
        alias=manifest.code.alias,
        timeout=run.policies[start.key.step].timeout,
        user=manifest.user,
        archives=tuple(one.to_json() for one in archives_of(manifest.environments, start.key.step)),
    ).to_json()


def _no_pod(run: Run, start: Start, name: str, now: float) -> PodView:
    """What stands for a Pod that was never there."""
    return PodView(
        namespace=run.owner.namespace,
        name=name,
        uid="",
        version=0,
        run=run.owner.name,
        run_uid=run.owner.uid,
        key=start.key,
        attempt=start.attempt,
        launch=start.launch,
        created=now,
    )
