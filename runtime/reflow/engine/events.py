"""What the engine is told and what it answers. Pure values; times are seconds since the epoch, handed in."""

from __future__ import annotations

from reflow.values.dataclass import dataclass
from reflow.values.key import TaskKey


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A task has its result (a caught failure counts). `width`: of its foreach; `case`: the value its switch
    chose.

    That is all the graph can't tell: where the task goes next follows from it and the graph.
    """

    key: TaskKey
    width: int | None = None
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed by the user's fault. `final`: trying again is pointless whatever the policy says."""

    key: TaskKey
    attempt: int
    launch: int
    ended: float
    message: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """A launch ended by no fault of the user's (node loss, eviction, a vanished Pod) and left no record."""

    key: TaskKey
    attempt: int
    launch: int
    message: str = ""
    ended: float = 0.0  # 0.0 where nobody knows


TaskEnd = Succeeded | Failed | Lost


@dataclass(frozen=True, slots=True)
class Start:
    """A task to launch. `attempt` counts the user's failures (their `retry_count`), `launch` every start of
    this key.

    `not_before`: a retry's delay, 0.0 for at once. `fallback`: the attempt that follows a caught last
    failure.
    """

    key: TaskKey
    attempt: int = 0
    launch: int = 0
    not_before: float = 0.0
    fallback: bool = False
