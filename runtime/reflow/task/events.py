"""What a supervisor tells."""

from __future__ import annotations

from reflow.store.values import Record
from reflow.values.dataclass import dataclass
from reflow.values.key import TaskKey


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """The task's process is there. `time`: seconds since the epoch."""

    key: TaskKey
    attempt: int
    launch: int
    pid: int
    time: float


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line that the task wrote, without its end. `stream`: `stdout` or `stderr`."""

    key: TaskKey
    stream: str
    text: str
    pid: int
    time: float


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """The attempt has its record in the store. `record`: this launch's own; `winner`: the one that counts,
    which another launch of the task may have written before. `unloadable`: the script doesn't import, or
    isn't this run's."""

    key: TaskKey
    attempt: int
    launch: int
    pid: int
    record: Record
    winner: Record
    unloadable: bool = False


@dataclass(frozen=True, slots=True)
class TaskLost:
    """The launch ended and doesn't count, by no fault of the user's: it was stopped, or never started, or the store
    gave no answer. `message` says why."""

    key: TaskKey
    attempt: int
    launch: int
    pid: int
    message: str


@dataclass(frozen=True, slots=True)
class TerminalWanted:
    """A debugger opens in the task, and waits until its process group is the terminal's foreground group. What the
    task prints from now on isn't told: it is on the terminal."""

    key: TaskKey
    pid: int


Event = TaskStarted | OutputLine | TaskEnded | TaskLost | TerminalWanted
