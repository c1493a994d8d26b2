"""What to do next for one run, decided from what is known of it. Pure: no cluster, no store, no clock.

Cost: O(tasks that start now), however wide the run is.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from reflow.engine.events import Start
from reflow_operator.constants import Reason

STOP_PATIENCE = 60.0  # seconds past their grace period that stopped Pods are waited for


@dataclass(slots=True)
class Waiting:
    """Tasks that may start: at once, in the order they became ready, or at a time."""

    ready: deque[Start] = field(default_factory=deque)
    later: list[tuple[float, int, Start]] = field(default_factory=list)
    count: int = 0

    def add(self, starts: Iterable[Start]) -> None:
        """More tasks that may start."""
        for start in starts:
            if start.not_before:
                self.count += 1
                heapq.heappush(self.later, (start.not_before, self.count, start))
            else:
                self.ready.append(start)

    def put_back(self, starts: Iterable[Start]) -> None:
        """Tasks that were taken and couldn't be started: they come first next time."""
        self.ready.extendleft(reversed(tuple(starts)))

    def take(self, number: int, now: float) -> tuple[Start, ...]:
        """At most `number` tasks that may start now; those whose time has come go first."""
        taken: list[Start] = []
        while len(taken) < number and self.later and self.later[0][0] <= now:
            taken.append(heapq.heappop(self.later)[2])
        while len(taken) < number and self.ready:
            taken.append(self.ready.popleft())
        return tuple(taken)

    def next_time(self) -> float | None:
        """When the first delayed task may start."""
        return self.later[0][0] if self.later else None

    def __len__(self) -> int:
        return len(self.ready) + len(self.later)


class Course(StrEnum):
    """How the engine sees the run."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the object says now. `deadline`: when its activeDeadlineSeconds are over; `let_go`: when a deleted one
    must be let go, whatever its Pods do."""

    max_workers: int
    suspend: bool = False
    cancel: bool = False
    deleted: bool = False
    deadline: float | None = None
    let_go: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the run. `running`: its Pods that haven't ended. `stopping`: why, and since when, it
    is being stopped."""

    course: Course
    running: int
    waiting: Waiting
    stopping: tuple[str, float] | None = None
    grace: float = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`create`: tasks to start, taken from those that wait. `more`: there is room for more than these. `stop`: delete
    all Pods, for this reason. `end`: the run is over, for this reason. `requeue_after`: seconds until something may be
    due by the clock alone."""

    create: tuple[Start, ...] = ()
    stop: str | None = None
    end: str | None = None
    requeue_after: float | None = None
    more: bool = False


def plan(standing: Standing, wishes: Wishes, now: float, at_once: int = 1 << 30) -> Plan:
    """See `Plan`. A run that has succeeded has, whatever was wished meanwhile. `at_once`: so many are created."""
    if standing.course is Course.SUCCEEDED and not standing.running:
        return Plan(end=Reason.SUCCEEDED)
    reason = standing.stopping[0] if standing.stopping else _stop_reason(wishes, now)
    if reason is not None:
        return _stopping(standing, wishes, reason, now)
    if standing.course is not Course.RUNNING:
        # Nothing new after a failure; what runs is let finish.
        if standing.running == 0:
            return Plan(end=Reason.TASK_FAILED)
        return Plan(requeue_after=_until(now, wishes.deadline))
    if wishes.suspend:
        return Plan(requeue_after=_until(now, wishes.deadline))
    room = max(0, wishes.max_workers - standing.running)
    create = standing.waiting.take(min(room, at_once), now)
    room -= len(create)
    more = room > 0 and bool(standing.waiting.ready)
    due = standing.waiting.next_time() if room > 0 else None
    return Plan(create=create, requeue_after=_until(now, wishes.deadline, due), more=more)


def _stop_reason(wishes: Wishes, now: float) -> str | None:
    if wishes.deleted:
        return Reason.DELETED
    if wishes.cancel:
        return Reason.CANCELLED
    if wishes.deadline is not None and now >= wishes.deadline:
        return Reason.DEADLINE
    return None


def _stopping(standing: Standing, wishes: Wishes, reason: str, now: float) -> Plan:
    """Pods are told to stop once; those on a dead node aren't waited for for ever."""
    since = standing.stopping[1] if standing.stopping else now
    patience = since + standing.grace + STOP_PATIENCE
    if wishes.let_go is not None:
        patience = min(patience, wishes.let_go)
    if standing.running == 0 or now >= patience:
        return Plan(stop=None if standing.stopping else reason, end=reason)
    return Plan(stop=None if standing.stopping else reason, requeue_after=max(0.1, patience - now))


def _until(now: float, *times: float | None) -> float | None:
    due = [time for time in times if time is not None]
    return max(0.0, min(due) - now) if due else None
