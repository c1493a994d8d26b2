"""A FlowRun's reconcile: from the object, the store and the Pods to the next step. Level-triggered.

It may be killed at any instruction, and starts again from what is in the store and in the cluster. Between
the end of one Pod and the creation of the next there is no read of the store and no write of a status: both
wait in queues of their own. Never called for one key twice at once (see `workqueue`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reflow.engine.events import Failed, Lost, Start, Succeeded
from reflow.manifests.parse import ManifestError, parse_flowrun
from reflow.manifests.types import ConditionType, FlowRun
from reflow.values.errors import NewerFormat
from reflow_operator import constants, reporting, status
from reflow_operator.beginning import Beginning
from reflow_operator.constants import Reason
from reflow_operator.ends import PodEnd, Unclear, Unloadable
from reflow_operator.finishing import Finishing
from reflow_operator.held import Held, Refused
from reflow_operator.keeping import Keeper
from reflow_operator.kube import errors
from reflow_operator.kubeevents import EventPoster, Note
from reflow_operator.launching import Launcher
from reflow_operator.objects import ObjectCache, ObjectKey
from reflow_operator.plan import Course, Plan, Wishes, plan
from reflow_operator.podbook import PodBook
from reflow_operator.podview import seconds
from reflow_operator.running import DOUBT_SECONDS, Run
from reflow_operator.settling import Settling
from reflow_operator.status import Condition
from reflow_operator.statuswriter import StatusWriter
from reflow_operator.stores import Stores

log = logging.getLogger(__name__)
CREATED_AT_ONCE = 50  # in one go, so that ends are heard of between two lots of a wide foreach
REFUSED_SECONDS, REFUSED_LONG_SECONDS = 5.0, 30.0
SWEEP_FROM = 50  # ended Pods
LONGEST_HOLD = 60.0
LOST_SECONDS, LONGEST_LOST = 1.0, 60.0  # before a lost launch is followed by another: doubled each time


@dataclass(slots=True)
class Queues:
    """How reconciling asks for work to be done elsewhere."""

    again: Callable[[ObjectKey], None]
    tell: Callable[[ObjectKey, float], None]  # status, in so many seconds


class FlowRuns:
    """See the module's docstring."""

    def __init__(
        self,
        *,
        stores: Stores,
        objects: ObjectCache,
        book: PodBook,
        launcher: Launcher,
        beginning: Beginning,
        settling: Settling,
        finishing: Finishing,
        keeper: Keeper,
        writer: StatusWriter,
        events: EventPoster,
        queues: Queues,
        clock: Callable[[], float],
        image_patience: float,
    ) -> None:
        self._stores = stores
        self._objects = objects
        self._book = book
        self._launcher = launcher
        self._beginning = beginning
        self._settling = settling
        self._finishing = finishing
        self._keeper = keeper
        self._writer = writer
        self._events = events
        self._queues = queues
        self._clock = clock
        self._image_patience = image_patience
        self._runs: dict[ObjectKey, Run] = {}
        self._held: dict[ObjectKey, tuple[Held, float]] = {}

    def __len__(self) -> int:
        return len(self._runs)

    async def reconcile(self, key: ObjectKey) -> float | None:
        """One step; in how many seconds the next is due by the clock alone."""
        obj = self._objects.get(key)
        if obj is None:
            self._forget(key)
            self._writer.forget(key)
            return None
        try:
            try:
                wait = await self._reconcile(key, parse_flowrun(obj))
            except ManifestError as error:
                raise Refused(Reason.INVALID_SPEC, str(error)) from error
            except NewerFormat as error:
                raise Refused(Reason.NEWER_FORMAT, str(error)) from error
        except Refused as refused:
            await self._finishing.refuse(key, obj, refused, self._forget)
            return None
        except Held as held:
            if self._clock() >= _let_go_time(obj):
                await self._finishing.let_go(key)
                self._forget(key)
                return None
            return await self._hold(key, obj, held)
        except errors.Conflict:
            return 0.2  # the object has changed: the watch brings the new one
        except errors.Retryable as error:
            log.warning("%s: %s", key, error)
            return max(1.0, error.after)
        except errors.KubeError as error:
            log.error("the API server refuses what %s needs; tried again in a while: %s", key, error)
            return REFUSED_LONG_SECONDS
        if self._held.pop(key, None) is not None:
            self._queues.tell(key, 0.0)
        return wait

    async def tell(self, key: ObjectKey) -> float | None:
        """Write the status of a run under way, from what is in memory."""
        wait = self._writer.wait(key)
        if wait > 0 and not self._has_news(key):
            return wait
        async with self._writer.exclusive(key):
            run, obj = self._runs.get(key), self._objects.get(key)
            if run is None or obj is None or run.owner.uid != obj["metadata"].get("uid"):
                return None
            notes = reporting.failure_notes(run)
            held = self._held.get(key)
            generation = int(obj["metadata"].get("generation") or 0)
            summary = reporting.under_way(run, generation, held[0] if held else None, None)
            try:
                await self._writer.write(key, summary, notes)
            except errors.Retryable as error:
                log.warning("the status of %s couldn't be written and is tried again: %s", key, error)
                return max(1.0, error.after)
        return None

    # One run

    async def _reconcile(self, key: ObjectKey, flowrun: FlowRun) -> float | None:
        run = self._runs.get(key)
        if run is not None and run.owner.uid != flowrun.meta.uid:
            self._forget(key)
            run = None
        if status.ended(flowrun.status):
            self._forget(key)
            return await self._finishing.after(key, flowrun)
        never_began = run is None and flowrun.status.get("runID") is None
        if never_began and flowrun.meta.deletion_timestamp is not None:
            await self._finishing.let_go(key)
            return None
        if run is None:
            run = await self._open(key, flowrun)
            if run is None:
                return None
        run.spec = flowrun.spec
        if key in self._held:  # its Secret may have other keys by now
            run.store = await self._stores.flow(key.namespace, run.manifest.flow)
        return await self._advance(run, flowrun)

    async def _advance(self, run: Run, flowrun: FlowRun) -> float | None:
        now = self._clock()
        for end in run.hear(self._book.changes(run.owner.uid), now, self._image_patience):
            self._take(run, end)
        if run.unloadable is not None:
            await self._finishing.withdraw(run, run.unloadable)
        decided = plan(run.standing(self._launcher.grace), _wishes(run, flowrun), now, CREATED_AT_ONCE)
        if decided.stop:
            await self._launcher.stop_all(run)
            run.stopping = (decided.stop, now)
        if decided.end:
            await self._finishing.close(run, decided.end, self._forget)
            return await self._finishing.after(run.key, flowrun)
        await self._launch(run, decided)
        if run.unsettled:
            await self._settle(run)
            self._queues.again(run.key)
        self._report(run)
        return self._next_look(run, decided)

    def _take(self, run: Run, end: PodEnd) -> None:
        """One end that is clear."""
        if isinstance(end, Unloadable):
            if not any(counts.succeeded for counts in run.counts().values()):
                run.unloadable = end.message
                return
            end = Failed(end.key, end.attempt, end.launch, end.ended, end.message, final=True)
        assert not isinstance(end, Unclear)
        starts = run.fold(end, _lost_pause(end, self._clock()))
        retry = next((start for start in starts if start.key == end.key), None)
        if isinstance(end, Failed) and retry is not None and end.key.step not in run.retried:
            run.retried.add(end.key.step)
            self._post(run, Reason.RETRIED, _retry_words(end, retry), warning=True)

    async def _launch(self, run: Run, decided: Plan) -> None:
        """Create what may start; where there is more, the next reconcile follows at once."""
        if decided.create:
            await self._launcher.create(run, decided.create)
        if decided.more and not run.refused:
            self._queues.again(run.key)

    async def _settle(self, run: Run) -> None:
        """Ask the store about Pods that didn't say how they ended."""
        while run.unsettled:
            for end in await self._settling.next_lot(run):
                self._take(run, end)

    def _report(self, run: Run) -> None:
        """Have status, ledger and old Pods seen to, each in its own time."""
        self._queues.tell(run.key, 0.0 if self._has_news(run.key) else self._writer.wait(run.key))
        if run.undeleted >= SWEEP_FROM:
            self._keeper.sweep(run)

    def _has_news(self, key: ObjectKey) -> bool:
        """Whether there is something that a status mustn't wait to say: the run's first failure."""
        run = self._runs.get(key)
        return run is not None and run.course is Course.FAILED and not run.told_failure

    def _next_look(self, run: Run, decided: Plan) -> float | None:
        times = [decided.requeue_after]
        if run.refused:
            times.append(REFUSED_SECONDS)
        if run.doubtful:
            times.append(DOUBT_SECONDS)
        due = [time for time in times if time is not None]
        return max(0.05, min(due)) if due else None

    # Begin

    async def _open(self, key: ObjectKey, flowrun: FlowRun) -> Run | None:
        """Into memory. None where something has still to come, or where the run is over already."""
        opened = await self._beginning.open(key, flowrun)
        if opened is None:
            async with self._writer.exclusive(key):
                await self._writer.write(key, reporting.pending(flowrun.meta.generation))
            return None
        if opened.fresh and opened.ending is None:
            # Before the first Pod: an operator that starts anew must know that there's a run to be ended.
            async with self._writer.exclusive(key):
                await self._writer.patch(key, {"runID": opened.run.manifest.run})
        run = self._runs[key] = opened.run
        if opened.ending is not None:
            await self._finishing.tell(run, opened.ending, self._forget)
            return None
        for pod in opened.pods:
            self._book.touch(pod)
        self._keeper.watch(run)
        if opened.fresh:
            self._post(run, Reason.STARTED, f"Run {run.manifest.flow}/{run.manifest.run} has started.")
            self._post_reuse(run)
        self._queues.tell(key, 0.0)
        return run

    def _post_reuse(self, run: Run) -> None:
        if run.manifest.origin is None:
            return
        reused = ", ".join(f"{step} ({count})" for step, count in run.cloned.items()) or "nothing"
        words = f"Taken over from run {run.manifest.origin.run}: {reused}."
        self._post(run, Reason.CLONED, words)
        for note in run.again[:10]:
            self._post(
                run, Reason.AGAIN, f"{note.step}: {note.tasks} finished tasks aren't reused: {note.reason}"
            )

    # What is in the way

    async def _hold(self, key: ObjectKey, obj: dict[str, Any], held: Held) -> float:
        """Say what is in the way, and come back, each time a bit later."""
        _, pause = self._held.get(key, (held, held.after / 2))
        pause = min(max(pause * 2, held.after), LONGEST_HOLD)
        self._held[key] = (held, pause)
        log.warning("%s is held up, for %s: %s", key, held.reason, held.message)
        if held.condition == ConditionType.STORE_READY:
            self._stores.forget(key.namespace)
        if key in self._runs:
            self._queues.tell(key, 0.0)
        else:
            generation = int(obj["metadata"].get("generation") or 0)
            async with self._writer.exclusive(key):
                await self._tell_held(key, generation, held)
        return pause

    async def _tell_held(self, key: ObjectKey, generation: int, held: Held) -> None:
        """A run that was claimed keeps what its status says of it; it only isn't in memory yet."""
        old = (self._objects.get(key) or {}).get("status") or {}
        if not old.get("runID"):
            await self._writer.write(key, reporting.pending(generation, held))
            return
        told = Condition(held.condition, False, held.reason, held.message)
        new = status.with_condition(old, told, generation, self._clock())
        await self._writer.patch(key, status.merge_patch(old, new))

    def _forget(self, key: ObjectKey) -> None:
        run = self._runs.pop(key, None)
        self._held.pop(key, None)
        if run is not None:
            self._book.unfollow(run.owner.uid)
            self._keeper.release(run)

    def _post(self, run: Run, reason: str, message: str, *, warning: bool = False) -> None:
        self._events.post(Note(run.key, run.owner.uid, reason, message, warning=warning))


def _lost_pause(end: Succeeded | Failed | Lost, now: float) -> float:
    """When a lost task may start again: the first time at once, then later and later."""
    losses = end.launch - end.attempt if isinstance(end, Lost) else 0
    return now + min(LOST_SECONDS * 2**losses, LONGEST_LOST) if losses > 0 else 0.0


def _wishes(run: Run, flowrun: FlowRun) -> Wishes:
    spec = flowrun.spec
    limit = spec.active_deadline_seconds
    deleted = seconds(flowrun.meta.deletion_timestamp)
    return Wishes(
        max_workers=spec.max_workers,
        suspend=spec.suspend,
        cancel=spec.cancel,
        deleted=deleted is not None,
        deadline=run.manifest.created + limit if limit is not None else None,
        let_go=deleted + constants.FINALIZER_PATIENCE if deleted is not None else None,
    )


def _retry_words(end: Failed, retry: Start) -> str:
    return (
        f"Task {end.key.path} failed and is tried again (attempt {retry.attempt}): {end.message}"
        " Further retries of this step aren't told."
    )


def _let_go_time(obj: dict[str, Any]) -> float:
    """When our finalizer lets a deleted object go though the end of its run couldn't be written; else never."""
    deleted = seconds(obj["metadata"].get("deletionTimestamp"))
    return float("inf") if deleted is None else deleted + constants.FINALIZER_PATIENCE
