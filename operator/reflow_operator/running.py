"""One run under way, as the operator holds it in memory: the engine's state, what waits, what runs. No I/O.

Everything here can be rebuilt from the store and the Pods, and is, whenever the operator starts. One task
of the event loop at a time works on a run (the work queue sees to it), and others may read it in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reflow.engine.events import Failed, Lost, Start, Succeeded
from reflow.engine.state import Outcome, RunState
from reflow.manifests.types import FlowRunSpec
from reflow.store.flowstore import FlowStore
from reflow.store.values import Manifest
from reflow.values.key import TaskKey
from reflow.values.policy import StepPolicy
from reflow_operator.ends import PodEnd, Unclear, Unloadable, read_end, stuck
from reflow_operator.objects import ObjectKey
from reflow_operator.plan import Course, Standing, Waiting
from reflow_operator.podbook import Change
from reflow_operator.pods import Owner, pod_name
from reflow_operator.podview import PodView
from reflow_operator.status import AgainNote, Counts, Failure

DOUBT_SECONDS = 10.0  # between two looks at Pods that may be over by the clock alone
_COURSES = {
    Outcome.RUNNING: Course.RUNNING,
    Outcome.SUCCEEDED: Course.SUCCEEDED,
    Outcome.FAILED: Course.FAILED,
}


@dataclass(slots=True)
class Run:
    """See the module's docstring."""

    key: ObjectKey
    owner: Owner
    spec: FlowRunSpec
    manifest: Manifest
    store: FlowStore
    state: RunState
    policies: Mapping[str, StepPolicy]
    waiting: Waiting = field(default_factory=Waiting)
    active: dict[str, Start] = field(default_factory=dict)
    running_by_step: Counter[str] = field(default_factory=Counter)
    ended_pods: set[str] = field(default_factory=set)
    stuck: dict[str, str] = field(default_factory=dict)
    refused: str | None = None
    stopping: tuple[str, float] | None = None
    cloned: Counter[str] = field(default_factory=Counter)
    again: tuple[AgainNote, ...] = ()
    failed_pods: dict[TaskKey, str] = field(default_factory=dict)
    unloadable: str | None = None
    retried: set[str] = field(default_factory=set)
    fresh: list[TaskKey] = field(default_factory=list)
    undeleted: int = 0
    unsettled: list[tuple[PodView, Unclear]] = field(default_factory=list)
    doubtful: dict[str, PodView] = field(default_factory=dict)
    looked_at: float = 0.0
    told_failure: bool = False

    # Pods

    def starting(self, start: Start) -> str:
        """A task is about to be launched; its Pod's name."""
        name = pod_name(self.owner, start)
        if name not in self.active:
            self.active[name] = start
            self.running_by_step[start.key.step] += 1
        return name

    def not_started(self, name: str) -> None:
        """The launch didn't come about."""
        self._over(name)

    def hear(self, changes: Iterable[Change], now: float, image_patience: float) -> list[PodEnd]:
        """The ends among the changes, each Pod's once. Live Pods that weren't known are taken in.

        Ends that the store has to be asked about are kept in `unsettled` instead.
        """
        ends: list[PodEnd] = []
        for change in (*self._doubted(now), *changes):
            pod = change.pod
            if pod.key is None or pod.name in self.ended_pods:
                continue
            end = read_end(pod, gone=change.gone, now=now, image_patience=image_patience)
            if end is None:
                self._live(pod)
                continue
            self._ended(change, end)
            if isinstance(end, Unclear):
                self.unsettled.append((pod, end))
            else:
                ends.append(end)
        return ends

    def _doubted(self, now: float) -> list[Change]:
        """Pods that may be over by the clock alone: those that can't start, those that don't stop."""
        if not self.doubtful or now - self.looked_at < DOUBT_SECONDS:
            return []
        self.looked_at = now
        return [Change(pod) for pod in self.doubtful.values()]

    def _live(self, pod: PodView) -> None:
        assert pod.key is not None
        if pod.name not in self.active:
            self.active[pod.name] = Start(pod.key, attempt=pod.attempt, launch=pod.launch)
            self.running_by_step[pod.key.step] += 1
        words = stuck(pod)
        if words:
            self.stuck[pod.name] = words
        else:
            self.stuck.pop(pod.name, None)
        if words or pod.deletion is not None:
            self.doubtful[pod.name] = pod
        else:
            self.doubtful.pop(pod.name, None)

    def _ended(self, change: Change, end: PodEnd) -> None:
        name = change.pod.name
        self.ended_pods.add(name)
        self.stuck.pop(name, None)
        self.doubtful.pop(name, None)
        self._over(name)
        if isinstance(end, Failed | Unloadable) or (isinstance(end, Unclear) and not end.fault.cluster):
            self.failed_pods[end.key] = name
        if not change.gone:
            self.undeleted += 1

    def _over(self, name: str) -> None:
        start = self.active.pop(name, None)
        if start is not None:
            self.running_by_step[start.key.step] -= 1

    # The engine

    def fold(self, end: Succeeded | Failed | Lost, not_before: float = 0.0) -> tuple[Start, ...]:
        """Tell the engine; what may start now waits from here on, and is returned.

        `not_before`: when the same task may start again at the earliest.
        """
        starts = tuple(
            replace(start, not_before=max(start.not_before, not_before)) if start.key == end.key else start
            for start in self.state.apply(end)
        )
        if isinstance(end, Succeeded):
            self.fresh.append(end.key)
        self.waiting.add(starts)
        return starts

    @property
    def course(self) -> Course:
        """How the engine sees the run."""
        return _COURSES[self.state.outcome]

    def standing(self, grace: float) -> Standing:
        """What planning needs to know."""
        return Standing(
            course=self.course,
            running=len(self.active) + len(self.unsettled),
            waiting=self.waiting,
            stopping=self.stopping,
            grace=grace,
        )

    # For the status

    def counts(self) -> Mapping[str, Counts]:
        """Tasks by step, in the order of the flow's source."""
        found = {}
        for name in self.manifest.graph.steps:
            counts = self.state.counts(name)
            cloned = self.cloned[name]
            running = max(0, self.running_by_step[name])
            found[name] = Counts(
                total=counts.total,
                running=running,
                succeeded=counts.succeeded - cloned,
                failed=counts.failed,
                cloned=cloned,
            )
        return found

    def failure(self) -> Failure | None:
        """The first failure that ended the run."""
        failed = self.state.failure
        if failed is None:
            return None
        return Failure(
            step=failed.key.step,
            task=failed.key.id,
            message=failed.message,
            attempt=failed.attempt,
            pod=self.failed_pods.get(failed.key, ""),
        )
