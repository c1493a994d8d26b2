"""The scheduler: a fold over the ends of tasks.

Ends may be told in any order, twice, or late, before those of the tasks that led to theirs; what counts is
which were told, never when. A result wins over every failure of the same task. After a final failure nothing
new starts, until a result undoes it. What was to start then starts after all.

Costs, on a 2-core machine: a task's end is O(1) amortised (a foreach's is O(width), paid once for each
child), 15 µs a task at 10 tasks and at 100,000 alike. `rebuild` is O(tasks): 0.1 s for 10,000. A finished
task takes about 250 bytes. benchmarks/engine.py measures all three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from reflow.engine.attempts import Troubles
from reflow.engine.edges import first_task
from reflow.engine.events import Failed, Start, Succeeded, TaskEnd
from reflow.engine.reach import Reach, is_possible
from reflow.graph.types import Graph
from reflow.values.dataclass import dataclass
from reflow.values.errors import FlowError
from reflow.values.key import TaskKey
from reflow.values.policy import DEFAULT_POLICY, StepPolicy


class Outcome(StrEnum):
    """How a run stands. A failed one may still have tasks that run, and may yet be undone by a result."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Phase(StrEnum):
    """How a reached task stands. `WAITING`: to be started, again or for the first time, once the run has no
    failure."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(slots=True)
class Counts:
    """How many of a step's reached tasks are in each phase. Which are clones of another run's, the manifest
    says."""

    waiting: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All that were reached so far; a foreach's children count from its end on."""
        return self.waiting + self.running + self.succeeded + self.failed


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that failed for good. `ended`: seconds since the epoch, 0.0 where unknown."""

    key: TaskKey
    attempt: int
    message: str
    ended: float


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """A task as the engine knows it. `attempt`: of the launch that runs or is to come, or the last; `launch`:
    the latest one heard of or started, -1 for none."""

    phase: Phase
    attempt: int
    launch: int


@dataclass(slots=True)
class _Task:
    phase: Phase | None = None  # None: its end may have been told, but nothing has led to it yet
    launch: int = -1
    result: Succeeded | None = None  # kept only until the task is reached
    troubles: Troubles | None = None

    @property
    def has_result(self) -> bool:
        if self.phase is Phase.FAILED and self.troubles is None:
            return True  # a result that the graph has no way on for
        return self.phase is Phase.SUCCEEDED or self.result is not None


class RunState:
    """One run. Made by `begin` or `rebuild`; changed by `apply` alone. Not safe to use from several threads
    at once."""

    def __init__(self, graph: Graph, policies: Mapping[str, StepPolicy]) -> None:
        self._graph = graph
        self._policies = policies
        self._reach = Reach(graph)
        self._tasks: dict[TaskKey, _Task] = {}
        self._waiting: dict[TaskKey, None] = {}  # in the order in which they were reached
        self._failures: dict[TaskKey, Failure] = {}
        self._counts: dict[str, Counts] = {name: Counts() for name in graph.steps}
        self._reached(first_task(graph))

    @classmethod
    def begin(cls, graph: Graph, policies: Mapping[str, StepPolicy]) -> tuple[RunState, tuple[Start, ...]]:
        """A new run, and its first task."""
        state = cls(graph, policies)
        return state, state._release()

    @classmethod
    def rebuild(
        cls,
        graph: Graph,
        policies: Mapping[str, StepPolicy],
        ends: Iterable[TaskEnd],
        running: Iterable[Start] = (),
    ) -> tuple[RunState, tuple[Start, ...]]:
        """A run of which these ends are known, in any order, and all that is ready and has not ended.

        `running`: launches that are known to run still, such as Pods that were found; they aren't started
        again.
        """
        state = cls(graph, policies)
        for end in ends:
            state._take(end)
        for start in running:
            state._adopt(start)
        return state, state._release()

    def apply(self, end: TaskEnd) -> tuple[Start, ...]:
        """A task's end was heard of: what is to be started now."""
        self._take(end)
        return self._release()

    # Questions

    @property
    def graph(self) -> Graph:
        return self._graph

    @property
    def outcome(self) -> Outcome:
        """Succeeded once the last step has its result; failed while a task has failed for good."""
        if self._failures:
            return Outcome.FAILED
        return Outcome.SUCCEEDED if self._counts[self._graph.end].succeeded else Outcome.RUNNING

    @property
    def failure(self) -> Failure | None:
        """Of the tasks that failed for good, the one that did so first; O(failures)."""
        if not self._failures:
            return None
        return min(self._failures.values(), key=lambda it: (it.ended or float("inf"), it.key))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """All tasks that failed for good, the first one first."""
        return tuple(sorted(self._failures.values(), key=lambda it: (it.ended or float("inf"), it.key)))

    def counts(self, step: str) -> Counts:
        """The step's tasks by phase, kept up to date, so O(1). Not to be changed by the caller."""
        return self._counts[step]

    def total(self) -> Counts:
        """All steps' counts added up; O(steps)."""
        every = self._counts.values()
        return Counts(
            waiting=sum(it.waiting for it in every),
            running=sum(it.running for it in every),
            succeeded=sum(it.succeeded for it in every),
            failed=sum(it.failed for it in every),
        )

    def status(self, key: TaskKey) -> TaskStatus | None:
        """How the task stands; None while nothing has led to it."""
        task = self._tasks.get(key)
        if task is None or task.phase is None:
            return None
        failed = task.troubles.attempt if task.troubles else -1
        ahead = task.phase is Phase.WAITING or task.phase is Phase.RUNNING
        return TaskStatus(task.phase, failed + 1 if ahead else max(0, failed), task.launch)

    def succeeded(self, key: TaskKey) -> bool:
        """Whether the task's result was heard of, even if nothing is known yet that leads to it."""
        task = self._tasks.get(key)
        return task is not None and task.has_result

    @property
    def waiting(self) -> int:
        """How many tasks are ready but held back because the run has failed."""
        return len(self._waiting)

    # The fold

    def _take(self, end: TaskEnd) -> None:
        key = end.key
        if not is_possible(self._graph, key):
            return  # of a step that the flow no longer has, or that stood elsewhere
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = _Task()
        if task.has_result:
            return
        if isinstance(end, Succeeded):
            task.result = end
            if task.phase is not None:
                self._pass_on([key])
            return
        if task.troubles is None:
            task.troubles = Troubles()
        if isinstance(end, Failed):
            task.troubles.take_failed(end)
        else:
            task.troubles.take_lost(end)
        task.launch = max(task.launch, end.launch)
        if task.phase is not None:
            self._judge(key, task)

    def _reached(self, first: TaskKey) -> None:
        task = self._tasks.setdefault(first, _Task())
        self._judge(first, task)

    def _judge(self, key: TaskKey, task: _Task) -> None:
        """Whether a reached task without a result runs, is to be started, or has failed for good."""
        troubles = task.troubles
        if troubles is not None and troubles.is_final(self._policies.get(key.step, DEFAULT_POLICY)):
            message, ended = troubles.describe()
            self._failures[key] = Failure(key, max(0, troubles.attempt), message, ended)
            self._waiting.pop(key, None)
            self._move(key, task, Phase.FAILED)
        elif task.launch >= 0 and not (troubles is not None and troubles.is_over(task.launch)):
            self._waiting.pop(key, None)
            self._move(key, task, Phase.RUNNING)
        else:
            self._waiting[key] = None
            self._move(key, task, Phase.WAITING)

    def _pass_on(self, ready: list[TaskKey]) -> None:
        """Tasks that are reached and have their result: on to what they lead to, and from there on"
        " likewise."""
        while ready:
            key = ready.pop()
            task = self._tasks[key]
            result, task.result, task.troubles = task.result, None, None
            assert result is not None
            self._waiting.pop(key, None)
            self._failures.pop(key, None)
            self._move(key, task, Phase.SUCCEEDED)
            try:
                following = self._reach.passed(key, result.width, result.case)
            except FlowError as error:
                self._failures[key] = Failure(key, 0, str(error), 0.0)
                self._move(key, task, Phase.FAILED)
                continue
            early = []
            for child in following:
                known = self._tasks.get(child)
                if known is None:
                    known = self._tasks[child] = _Task()
                if known.result is not None:
                    early.append(child)
                else:
                    self._judge(child, known)
            ready.extend(reversed(early))

    def _adopt(self, start: Start) -> None:
        task = self._tasks.get(start.key)
        if task is None or task.phase is None or task.has_result:
            return
        task.launch = max(task.launch, start.launch)
        self._judge(start.key, task)

    def _release(self) -> tuple[Start, ...]:
        if self._failures or not self._waiting:
            return ()
        starts = tuple(map(self._start, self._waiting))
        self._waiting.clear()
        return starts

    def _start(self, key: TaskKey) -> Start:
        task = self._tasks[key]
        task.launch += 1
        self._move(key, task, Phase.RUNNING)
        troubles = task.troubles
        if troubles is None:
            return Start(key, launch=task.launch)
        policy = self._policies.get(key.step, DEFAULT_POLICY)
        return Start(
            key,
            attempt=troubles.attempt + 1,
            launch=task.launch,
            not_before=troubles.not_before(policy),
            fallback=troubles.is_fallback(policy),
        )

    def _move(self, key: TaskKey, task: _Task, phase: Phase) -> None:
        counts = self._counts[key.step]
        before = task.phase
        if before is phase:
            return
        if before is not None:
            setattr(counts, before.value, getattr(counts, before.value) - 1)
        setattr(counts, phase.value, getattr(counts, phase.value) + 1)
        task.phase = phase
