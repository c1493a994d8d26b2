"""The laptop's executor: launches what the engine says, hears of its end, keeps the ledger. One thread, one loop."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from reflow.engine.events import Failed, Lost, Start, Succeeded, TaskEnd
from reflow.engine.state import Failure, Outcome
from reflow.graph.types import PARALLEL
from reflow.launch.listening import Listener
from reflow.launch.stopping import StopSignals
from reflow.launch.terminal import Terminal
from reflow.store.ledger_thread import BackgroundLedger
from reflow.store.values import Manifest, Record, RunEnd
from reflow.task.spawn import Spawner
from reflow.task.spec import TaskSpec
from reflow.task.supervise import (
    Event,
    OutputLine,
    Supervisor,
    TaskEnded,
    TaskLost,
    TaskStarted,
    TerminalWanted,
)
from reflow.values.dataclass import dataclass, field, replace
from reflow.values.key import TaskKey

STOPPING = 3.0  # seconds between SIGTERM and SIGKILL once the user wants it all to stop
GRACE = 5.0  # seconds that running tasks get after another has failed, as in Metaflow
LONGEST_WAIT = 5.0  # seconds in one poll; only bounds how late a retry's delay is noticed


@dataclass(slots=True)
class Waiting:
    """Tasks that may start: at once in their order, or at a time."""

    ready: deque[Start] = field(default_factory=deque)
    later: list[tuple[float, int, Start]] = field(default_factory=list)
    _count: int = 0

    def add(self, starts: Iterable[Start]) -> None:
        for start in starts:
            if start.not_before:
                self._count += 1
                heapq.heappush(self.later, (start.not_before, self._count, start))
            else:
                self.ready.append(start)

    def take(self, now: float) -> Start | None:
        """The next one that may start now."""
        if self.later and self.later[0][0] <= now:
            return heapq.heappop(self.later)[2]
        return self.ready.popleft() if self.ready else None

    def next_time(self) -> float | None:
        """When the first delayed one may start."""
        return self.later[0][0] if self.later else None

    def leads(self, steps: frozenset[str]) -> bool:
        """Whether the next one is of these steps: of a gang, whose tasks wait for each other, so all of them start."""
        return bool(steps and self.ready) and self.ready[0].key.step in steps

    def clear(self) -> None:
        self.ready.clear()
        self.later.clear()


def end_of(record: Record) -> TaskEnd:
    """What the engine needs to know of a record."""
    if record.status.finished:
        return Succeeded(record.key, width=record.width, case=record.case)
    line = record.exception.line if record.exception else "failed"
    return Failed(
        record.key, record.attempt, record.launch, ended=record.ended, message=line, final=record.final
    )


class Progress(Protocol):
    """What says which tasks come next: a run's state, or that of something smaller."""

    @property
    def outcome(self) -> Outcome:
        """How it stands."""

    @property
    def failure(self) -> Failure | None:
        """The first task that failed for good."""

    def apply(self, end: TaskEnd) -> Iterable[Start]:
        """A task ended; those that start now."""


class LocalExecutor:
    """Runs one claimed run to its end. `spec_of`: what a task's process needs; `clock`: seconds since the epoch;
    `terminal`: what a task's debugger gets, None where no task may have it."""

    def __init__(
        self,
        *,
        manifest: Manifest,
        state: Progress,
        supervisor: Supervisor,
        spawner: Spawner,
        spec_of: Callable[[Start], TaskSpec],
        ledger: BackgroundLedger,
        listener: Listener,
        signals: StopSignals,
        max_workers: int,
        clock: Callable[[], float],
        terminal: Terminal | None = None,
    ) -> None:
        self._manifest = manifest
        self._state = state
        self._supervisor = supervisor
        self._spawner = spawner
        self._spec_of = spec_of
        self._ledger = ledger
        self._listener = listener
        self._signals = signals
        self._max_workers = max_workers
        steps = manifest.graph.steps.values()
        self._gangs = frozenset(
            target for step in steps if step.foreach == PARALLEL for target in step.targets
        )
        self._clock = clock
        self._terminal = terminal
        self._waiting = Waiting()
        self._running: dict[TaskKey, Start] = {}
        self._give_up_at: float | None = None

    def run(self, starts: Iterable[Start]) -> RunEnd:
        """Run until nothing runs and nothing may start, or until it's told to stop."""
        self._waiting.add(starts)
        self._supervisor.wake_on(self._signals.fileno())
        try:
            self._loop()
        except BrokenPipeError:
            self._stop_all(STOPPING)
            return self._stopped("nobody reads its output any more")
        asked = self._signals.heard()
        return (
            self._stopped(f"by {asked}") if asked and self._state.outcome is Outcome.RUNNING else self._end()
        )

    def _stopped(self, why: str) -> RunEnd:
        return RunEnd(
            succeeded=False,
            ended=self._clock(),
            message=f"The run was stopped: {why}. What has finished is kept; `resume` goes on from there.",
        )

    def _loop(self) -> None:
        while True:
            self._launch()
            if not self._running:
                pause = self._waiting.next_time()
                if pause is None:
                    return
            for event in self._supervisor.poll(self._wait()):
                self._hear(event)
            if self._signals.heard():
                self._stop_all(STOPPING)
                return
            if self._give_up_at is not None and self._clock() >= self._give_up_at:
                self._stop_all(STOPPING)
                return

    def _launch(self) -> None:
        while len(self._running) < self._max_workers or self._waiting.leads(self._gangs):
            start = self._waiting.take(self._clock())
            if start is None:
                return
            self._running[start.key] = start
            self._supervisor.start(self._spec_of(start), self._spawner)

    def _wait(self) -> float:
        times = [time for time in (self._give_up_at, self._waiting.next_time()) if time is not None]
        if not times:
            return LONGEST_WAIT
        return min(LONGEST_WAIT, max(0.0, min(times) - self._clock()))

    def _hear(self, event: Event) -> None:
        match event:
            case OutputLine(key=key, pid=pid, text=text):
                self._listener.output(key, pid, text)
            case TaskStarted(key=key, pid=pid):
                start = self._running[key]
                self._listener.task_starting(key, pid, attempt=start.attempt, fallback=start.fallback)
            case TerminalWanted(key=key, pid=pid):
                if self._terminal is not None:
                    self._listener.terminal_lent(key)
                    self._terminal.lend(pid)
            case TaskEnded(key=key, pid=pid, winner=winner):
                self._take_terminal_back()
                self._finished(key, pid, winner)
            case TaskLost(key=key, pid=pid, message=reason):
                self._take_terminal_back()
                start = self._running.pop(key)
                self._listener.task_killed(key, pid)
                self._take(Lost(key, start.attempt, start.launch, reason))

    def _take_terminal_back(self) -> None:
        if self._terminal is not None:
            self._terminal.take_back()

    def _finished(self, key: TaskKey, pid: int, record: Record) -> None:
        start, end = self._running.pop(key), end_of(record)
        if isinstance(end, Failed):
            end = replace(
                end, launch=start.launch
            )  # the winner may be an earlier launch's: this one is over too
        self._ledger.add(record)
        starts = tuple(self._state.apply(end))
        retry = next((start for start in starts if start.key == key and not start.fallback), None)
        retry_in = None if retry is None else max(0.0, retry.not_before - self._clock())
        self._listener.task_ended(key, pid, record, retry_in=retry_in)
        self._go_on(starts)

    def _take(self, end: TaskEnd) -> None:
        self._go_on(self._state.apply(end))

    def _go_on(self, starts: Iterable[Start]) -> None:
        self._waiting.add(starts)
        if self._state.outcome is Outcome.FAILED and self._give_up_at is None:
            self._waiting.clear()
            self._give_up_at = self._clock() + GRACE
            self._listener.run_failing(len(self._running))

    def _stop_all(self, kill_after: float) -> None:
        """Stop what runs. A task that still finishes on its way out is kept; the others have no record."""
        for event in self._supervisor.stop_all(kill_after):
            self._hear(event)
        self._waiting.clear()

    def _end(self) -> RunEnd:
        failure = self._state.failure
        if failure is None:
            whole = self._state.outcome is Outcome.SUCCEEDED
            message = "" if whole else "Tasks are left that nothing leads on to: resume the run."
            return RunEnd(succeeded=whole, ended=self._clock(), message=message)
        return RunEnd(
            succeeded=False,
            ended=self._clock(),
            failed_step=failure.key.step,
            failed_task=failure.key.path,
            message=failure.message,
        )
