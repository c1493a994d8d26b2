"""The parent of tasks: one loop that reads their output, keeps time, sees them end, and has their records written.

One thread. What it learns comes out of `poll` as events, in the order in which it happened for each task.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable
from types import TracebackType

from reflow.store.flowstore import FlowStore
from reflow.task.events import Event, OutputLine, TaskEnded, TaskLost, TaskStarted, TerminalWanted
from reflow.task.keeping import Keeper, Kept, keeper_for
from reflow.task.patience import Patience
from reflow.task.running import KILL_AFTER, RunningTask
from reflow.task.spawn import Spawner
from reflow.task.spec import TaskSpec
from reflow.values.errors import ReflowError
from reflow.values.key import TaskKey

__all__ = ["Event", "OutputLine", "Supervisor", "TaskEnded", "TaskLost", "TaskStarted", "TerminalWanted"]

TICK = 1.0  # seconds between two looks at logs that wait to be written


class Supervisor:
    """Runs any number of launches of one run's tasks at once; of each task, one at a time."""

    def __init__(self, store: FlowStore, run: str, keeper: Keeper | None = None) -> None:
        """`keeper`: who writes logs and records; by default the one that suits the store."""
        self.run = run
        self._keeper = keeper or keeper_for(store, Patience())
        self._selector = selectors.DefaultSelector()
        self._tasks: dict[TaskKey, RunningTask] = {}
        self._keeping: dict[TaskKey, RunningTask] = {}
        self._events: list[Event] = []
        self._is_woken = False
        self._next_tick = 0.0  # by the monotonic clock: the logs needn't be looked at in every turn
        self._waking: list[int] = []
        news = self._keeper.fileno()
        if news is not None:
            self._selector.register(news, selectors.EVENT_READ, self._take_kept)

    def wake_on(self, descriptor: int) -> None:
        """Let `poll` return, perhaps with no events, when this becomes readable: the caller then reads from it."""
        self._selector.register(descriptor, selectors.EVENT_READ, self._wake)
        self._waking.append(descriptor)

    def _wake(self) -> None:
        self._is_woken = True

    @property
    def patience(self) -> Patience:
        """What is had with a store that gives no answer."""
        return self._keeper.patience

    @property
    def running(self) -> int:
        """Launches that have not ended, or whose record isn't in the store yet."""
        return len(self._tasks) + len(self._keeping)

    def start(self, spec: TaskSpec, spawner: Spawner) -> None:
        """Start a task's process. That it can't be started is told as TaskLost."""
        reads: list[int] = []
        writes: list[int] = []
        try:
            for _ in range(3):
                reader, writer = os.pipe()
                reads.append(reader)
                writes.append(writer)
            child = spawner.spawn(spec, *writes)
        except OSError as error:
            for descriptor in reads:
                os.close(descriptor)
            words = f"no process can be started: {error}"
            self._events.append(TaskLost(spec.key, spec.attempt, spec.launch, 0, words))
            return
        finally:
            for descriptor in writes:
                os.close(descriptor)
        task = RunningTask(spec, child, self._keeper.open(spec), tuple(reads), self._events.append)
        self._tasks[spec.key] = task
        for descriptor, read in task.readers().items():
            self._selector.register(descriptor, selectors.EVENT_READ, self._reader(task, descriptor, read))
        self._selector.register(child.fileno(), selectors.EVENT_READ, lambda: self._look_at(task))
        self._look_at(task)

    def _reader(self, task: RunningTask, descriptor: int, read: Callable[[], bool]) -> Callable[[], None]:
        def ready() -> None:
            if not read():
                self._selector.unregister(descriptor)
                task.let_go(descriptor)

        return ready

    def _look_at(self, task: RunningTask) -> None:
        if task.look():
            self._end(task)

    def _end(self, task: RunningTask) -> None:
        """The process is gone: what it left in its pipes is read, whoever else still holds them, and that's it."""
        for descriptor in (*task.readers(), task.child.fileno()):
            self._selector.unregister(descriptor)
        del self._tasks[task.spec.key]
        self._keeping[task.spec.key] = task
        task.end()
        if self._keeper.fileno() is None:
            self._take_kept()

    def _take_kept(self) -> None:
        failed: ReflowError | None = None
        for kept in self._keeper.take():
            task = self._keeping.pop(kept.spec.key)
            try:
                self._events.append(_event(task, kept))
            except ReflowError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def poll(self, timeout: float | None = None) -> list[Event]:
        """Wait until something happens, at most `timeout` seconds, and tell it. Raises StoreError where a record
        can't be written."""
        until = None if timeout is None else time.monotonic() + timeout
        self._is_woken = False
        while not self._events and self.running and not self._is_woken:
            now = time.monotonic()
            if until is not None and now > until:
                break
            self._turn(TICK if until is None else min(TICK, max(0.0, until - now)))
            if until is not None and time.monotonic() >= until:
                break
        if not self.running and not self._events and timeout:
            self._selector.select(timeout)
        events = list(self._events)
        self._events.clear()
        return events

    def _turn(self, wait: float) -> None:
        deadlines = [task.deadline for task in self._tasks.values() if task.deadline is not None]
        if deadlines:
            wait = min(wait, max(0.0, min(deadlines) - time.monotonic()))
        for key, _ in self._selector.select(wait):
            if key.fd in self._selector.get_map():  # an earlier one of this turn may have ended its task
                key.data()
        now = time.monotonic()
        for task in self._tasks.values():
            task.on_time(now)
        if now >= self._next_tick:
            self._next_tick = now + TICK / 20
            self._keeper.tick(time.time())

    def stop(self, key: TaskKey, kill_after: float = KILL_AFTER) -> None:
        """Tell a task to end: SIGTERM, and SIGKILL some seconds later. It ends as TaskLost, unless it still
        succeeds."""
        task = self._tasks.get(key)
        if task is not None:
            task.stop(time.monotonic(), kill_after)

    def stop_all(self, kill_after: float = KILL_AFTER) -> list[Event]:
        """Stop all tasks and wait for their ends, some `kill_after` seconds at most; all that happened until then."""
        while self._waking:  # nobody reads from these any more
            self._selector.unregister(self._waking.pop())
        for key in list(self._tasks):
            self.stop(key, kill_after)
        events: list[Event] = []
        while self.running:
            events += self.poll(TICK)
        return events + self.poll(0)

    def close(self) -> None:
        """Kill what still runs, and let go of everything."""
        self.patience.end()
        for task in self._tasks.values():
            task.kill()
        try:
            self.stop_all()
        finally:
            self._keeper.close()
            self._selector.close()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _event(task: RunningTask, kept: Kept) -> Event:
    spec, pid = task.spec, task.child.pid or 0
    if kept.error is not None:
        raise kept.error
    if kept.record is None or kept.winner is None:
        return TaskLost(spec.key, spec.attempt, spec.launch, pid, task.lost)
    return TaskEnded(
        spec.key, spec.attempt, spec.launch, pid, kept.record, kept.winner, unloadable=task.unloadable
    )
