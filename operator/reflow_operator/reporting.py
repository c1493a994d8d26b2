"""From a run under way to its status: which phase, which conditions, in which words. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from reflow.manifests.types import ConditionType, Phase
from reflow_operator.constants import PODS_READY, Reason
from reflow_operator.held import Held
from reflow_operator.kubeevents import Note
from reflow_operator.plan import Course
from reflow_operator.running import Run
from reflow_operator.status import Condition, Counts, Summary


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. `reason`: of the final condition."""

    reason: str
    message: str
    completed: float

    @property
    def phase(self) -> Phase:
        """In one word."""
        if self.reason == Reason.SUCCEEDED:
            return Phase.COMPLETE
        return Phase.CANCELLED if self.reason in (Reason.CANCELLED, Reason.DELETED) else Phase.FAILED


def pending(generation: int, held: Held | None = None, origin: str | None = None) -> Summary:
    """A run that isn't claimed yet: `held` says what it waits for."""
    conditions = [
        Condition(ConditionType.COMPLETE, False, "NotStarted", "The run hasn't started."),
        Condition(ConditionType.FAILED, False, "NotStarted", "The run hasn't started."),
    ]
    if held is not None:
        conditions.append(Condition(held.condition, False, held.reason, held.message))
    return Summary(generation, Phase.PENDING, tuple(conditions), origin_run_id=origin)


def refused(generation: int, reason: str, message: str, now: float, origin: str | None = None) -> Summary:
    """A run that can't begin."""
    conditions = (
        Condition(ConditionType.COMPLETE, False, reason, "The run can't begin."),
        Condition(ConditionType.FAILED, True, reason, message),
    )
    return Summary(generation, Phase.FAILED, conditions, origin_run_id=origin, completed=now)


def under_way(run: Run, generation: int, held: Held | None, ending: Ending | None) -> Summary:
    """A claimed run."""
    counts = run.counts()
    suspended = run.spec.suspend and ending is None and run.course is Course.RUNNING
    phase = Phase.SUSPENDED if suspended else Phase.RUNNING
    return Summary(
        generation=generation,
        phase=ending.phase if ending else phase,
        conditions=(*_final(run, ending), _suspended(suspended), *_ready(run, held, ending)),
        run_id=run.manifest.run,
        origin_run_id=run.manifest.origin.run if run.manifest.origin else None,
        steps=counts,
        failure=run.failure(),
        again=run.again,
        started=run.manifest.created,
        completed=ending.completed if ending else None,
    )


def failure_notes(run: Run) -> list[Note]:
    """The event that tells of the run's first failure, once."""
    if run.told_failure or run.failure() is None:
        return []
    run.told_failure = True
    words = ending_words(run, Reason.TASK_FAILED)
    return [Note(run.key, run.owner.uid, Reason.TASK_FAILED, words, warning=True)]


def ending_words(run: Run, reason: str) -> str:
    """Why the run is over, in a sentence."""
    if reason == Reason.SUCCEEDED:
        total = sum(run.counts().values(), Counts())
        reused = f", {total.cloned} of them taken over from the origin" if total.cloned else ""
        return f"All {total.total} tasks have finished{reused}."
    if reason == Reason.TASK_FAILED:
        failure = run.failure()
        if failure is None:
            return "A task failed."
        pod = f" (Pod {failure.pod})" if failure.pod else ""
        return f"Step {failure.step} (task {failure.task}) failed{pod}: {failure.message}"
    words = {
        Reason.CANCELLED: "The run was cancelled (spec.cancel).",
        Reason.DELETED: "The FlowRun was deleted while its run was under way.",
        Reason.DEADLINE: "The run took longer than its activeDeadlineSeconds and was stopped.",
    }
    return words.get(reason, reason)


def _final(run: Run, ending: Ending | None) -> tuple[Condition, Condition]:
    if ending is None:
        words = "The run is under way."
        failing = run.course is Course.FAILED
        if failing:
            words = "A task failed; those that run are let finish, and nothing new starts."
        return (
            Condition(ConditionType.COMPLETE, False, "Running", words),
            Condition(ConditionType.FAILED, False, "TasksStillRunning" if failing else "Running", words),
        )
    complete = ending.reason == Reason.SUCCEEDED
    return (
        Condition(ConditionType.COMPLETE, complete, ending.reason, ending.message),
        Condition(ConditionType.FAILED, not complete, ending.reason, ending.message),
    )


def _suspended(suspended: bool) -> Condition:
    if suspended:
        words = "spec.suspend is set: nothing new starts, tasks that run are let finish."
        return Condition(ConditionType.SUSPENDED, True, Reason.SUSPENDED, words)
    return Condition(ConditionType.SUSPENDED, False, Reason.NOT_SUSPENDED, "spec.suspend isn't set.")


def _ready(run: Run, held: Held | None, ending: Ending | None) -> tuple[Condition, Condition]:
    store = Condition(ConditionType.STORE_READY, True, Reason.NOT_BLOCKED, "The store can be used.")
    pods = Condition(PODS_READY, True, Reason.NOT_BLOCKED, "Nothing is known to be in the way of the Pods.")
    if ending is None and held is not None and held.condition == ConditionType.STORE_READY:
        store = Condition(ConditionType.STORE_READY, False, held.reason, held.message)
    if ending is None and run.refused:
        pods = Condition(PODS_READY, False, Reason.PODS_REFUSED, run.refused)
    elif ending is None and run.stuck:
        more = f" ({len(run.stuck) - 1} more Pods wait too.)" if len(run.stuck) > 1 else ""
        pods = Condition(PODS_READY, False, Reason.POD_STUCK, next(iter(run.stuck.values())) + more)
    return store, pods
