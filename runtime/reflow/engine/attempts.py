"""What one task's failed and lost launches add up to. Nothing here depends on the order in which they were
heard of."""

from __future__ import annotations

from reflow.engine.events import Failed, Lost
from reflow.values.dataclass import dataclass, field
from reflow.values.policy import StepPolicy

MAX_LOST = 10
"""So many lost launches of one task make it fail for good, `@catch` or not: a fallback would be lost
likewise."""

_NEVER = 1 << 60


@dataclass(slots=True)
class Troubles:
    """Made only for a task that had some. `failed`, `lost`: numbers of the launches that ended so."""

    failed: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    attempt: int = -1  # the highest one that failed
    launch: int = -1  # of that attempt
    ended: float = 0.0  # of that attempt
    message: str = ""  # of that attempt
    final: int = _NEVER  # the lowest attempt that failed for good
    lost_launch: int = -1  # the latest of the lost ones, with its message and time
    lost_message: str = ""
    lost_ended: float = 0.0

    def take_failed(self, end: Failed) -> None:
        self.failed.add(end.launch)
        if end.final:
            self.final = min(self.final, end.attempt)
        if (end.attempt, end.launch) > (self.attempt, self.launch):
            self.attempt, self.launch, self.ended, self.message = (
                end.attempt,
                end.launch,
                end.ended,
                end.message,
            )

    def take_lost(self, end: Lost) -> None:
        self.lost.add(end.launch)
        if end.launch >= self.lost_launch:
            self.lost_launch, self.lost_message, self.lost_ended = end.launch, end.message, end.ended

    def is_over(self, launch: int) -> bool:
        """Whether that launch has ended."""
        return launch in self.failed or launch in self.lost

    @property
    def lost_too_often(self) -> bool:
        # A launch that failed and then vanished is the user's failure, told twice.
        return len(self.lost) >= MAX_LOST and len(self.lost - self.failed) >= MAX_LOST

    def last_user_attempt(self, policy: StepPolicy) -> int:
        """The last attempt that runs the user's code; one more is the fallback of a caught failure."""
        return min(policy.retries, self.final)

    def is_final(self, policy: StepPolicy) -> bool:
        """Whether no further attempt may be made."""
        if self.lost_too_often:
            return True
        last = self.last_user_attempt(policy)
        return self.attempt > last or (self.attempt == last and not policy.catch)

    def is_fallback(self, policy: StepPolicy) -> bool:
        """Whether the next attempt is the fallback."""
        return self.attempt >= self.last_user_attempt(policy)

    def not_before(self, policy: StepPolicy) -> float:
        """When the next attempt may start: only a failure is followed by a delay, and only before the user's
        code."""
        lost_since = self.lost_launch > self.launch
        if self.attempt < 0 or lost_since or not policy.retry_delay or self.is_fallback(policy):
            return 0.0
        return self.ended + policy.retry_delay

    def describe(self) -> tuple[str, float]:
        """The message of a final failure, and when it was (0.0: unknown)."""
        if self.lost_too_often:
            count = len(self.lost - self.failed)
            last = f" The last time: {self.lost_message}" if self.lost_message else ""
            return (
                f"The task was lost {count} times by no fault of its own, and is given up.{last}",
                self.lost_ended,
            )
        return self.message, self.ended
