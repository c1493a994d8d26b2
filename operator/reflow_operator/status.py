"""What a FlowRun's status says: a summary under 50 KB, made from what the operator knows of the run. Pure.

Conditions are what programs read; phase and progress are for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reflow.manifests.types import ConditionType, Phase

Json = dict[str, Any]
STEP_LIMIT = 250
AGAIN_LIMIT = 30
MESSAGE_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Counts:
    """Tasks of a step, or of the run. `total`: those known so far, cloned ones included."""

    total: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cloned: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.total + other.total,
            self.running + other.running,
            self.succeeded + other.succeeded,
            self.failed + other.failed,
            self.cloned + other.cloned,
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """The first failure that ended the run."""

    step: str
    task: str
    message: str
    attempt: int = 0
    pod: str = ""


@dataclass(frozen=True, slots=True)
class AgainNote:
    """What runs again although the origin had finished it."""

    step: str
    tasks: int
    reason: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, without its times."""

    type: str
    true: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Summary:
    """All that a status is made from. Times are seconds since the epoch."""

    generation: int
    phase: Phase
    conditions: tuple[Condition, ...] = ()
    run_id: str | None = None
    origin_run_id: str | None = None
    steps: Mapping[str, Counts] = field(default_factory=dict)
    failure: Failure | None = None
    again: Sequence[AgainNote] = ()
    started: float | None = None
    completed: float | None = None


def render(summary: Summary, old: Mapping[str, Any], now: float) -> Json:
    """The status as JSON. A condition keeps the time of its last transition from `old`."""
    status: Json = {
        "observedGeneration": summary.generation,
        "phase": str(summary.phase),
        "conditions": _rendered(summary.conditions, summary.generation, old.get("conditions") or (), now),
    }
    if summary.run_id:
        total = sum(summary.steps.values(), Counts())
        status["runID"] = summary.run_id
        status["counts"] = _counts(total)
        status["progress"] = f"{total.succeeded + total.cloned}/{total.total}"
        status["steps"] = [
            {"name": name, **_set(_counts(counts))} for name, counts in summary.steps.items() if counts.total
        ][:STEP_LIMIT]
    if summary.origin_run_id:
        status["originRunID"] = summary.origin_run_id
    if summary.failure:
        status["failure"] = _failure(summary.failure)
    if summary.again:
        status["again"] = [
            {"step": note.step, "tasks": note.tasks, "reason": note.reason[:256]}
            for note in summary.again[:AGAIN_LIMIT]
        ]
    if summary.started is not None:
        status["startTime"] = timestamp(summary.started)
    if summary.completed is not None:
        status["completionTime"] = timestamp(summary.completed)
    return status


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json | None:
    """The merge patch from `old` to `new`, None where they are equal. Lists are replaced whole."""
    patch: Json = {}
    for name in old:
        if name not in new:
            patch[name] = None
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            inner = merge_patch(before, value)
            if inner is not None:
                patch[name] = inner
        elif value != before:
            patch[name] = value
    return patch or None


def timestamp(seconds: float) -> str:
    """Kubernetes' time, in whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


def ended(status: Mapping[str, Any]) -> bool:
    """Whether a status says that the run is over: Complete or Failed is true."""
    final = (ConditionType.COMPLETE, ConditionType.FAILED)
    return any(
        entry.get("type") in final and entry.get("status") == "True"
        for entry in status.get("conditions") or ()
    )


def condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """One condition of a status."""
    for entry in status.get("conditions") or ():
        if entry.get("type") == kind:
            return dict(entry)
    return None


def with_condition(old: Mapping[str, Any], one: Condition, generation: int, now: float) -> Json:
    """A status with one condition changed and all else as it was."""
    (rendered,) = _rendered((one,), generation, old.get("conditions") or (), now)
    others = [entry for entry in old.get("conditions") or () if entry.get("type") != one.type]
    return {**old, "conditions": [*others, rendered]}


def _rendered(
    conditions: Sequence[Condition], generation: int, old: Sequence[Mapping[str, Any]], now: float
) -> list[Json]:
    before = {entry.get("type"): entry for entry in old}
    rendered = []
    for one in conditions:
        status = "True" if one.true else "False"
        known = before.get(one.type)
        kept = known.get("lastTransitionTime") if known and known.get("status") == status else None
        rendered.append(
            {
                "type": one.type,
                "status": status,
                "observedGeneration": generation,
                "lastTransitionTime": kept or timestamp(now),
                "reason": one.reason,
                "message": one.message[:MESSAGE_LIMIT],
            }
        )
    return rendered


def _counts(counts: Counts) -> Json:
    return {
        "total": counts.total,
        "running": counts.running,
        "succeeded": counts.succeeded,
        "failed": counts.failed,
        "cloned": counts.cloned,
    }


def _set(counts: Json) -> Json:
    """Per step, zeros are left out: there may be hundreds of steps."""
    return {name: value for name, value in counts.items() if value}


def _failure(failure: Failure) -> Json:
    described: Json = {
        "step": failure.step,
        "task": failure.task,
        "attempt": failure.attempt,
        "message": failure.message[:MESSAGE_LIMIT],
    }
    if failure.pod:
        described["pod"] = failure.pod
    return described
