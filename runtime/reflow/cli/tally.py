"""How far the wide foreaches of a run are: counts, and the one line that tells them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from reflow.graph.types import Graph
from reflow.values.dataclass import dataclass
from reflow.values.key import TaskKey

WIDE = 10  # tasks of a step that are still shown one by one


@dataclass(slots=True)
class Step:
    """One step within a foreach. `since`: when its first task started, in seconds; `failing`: attempts that failed."""

    name: str
    expected: int = 0
    reused: int = 0
    running: int = 0
    done: int = 0
    failing: int = 0
    since: float | None = None

    @property
    def is_wide(self) -> bool:
        return self.expected > WIDE

    @property
    def is_complete(self) -> bool:
        return self.done + self.reused >= self.expected


class Tally:
    """Counts what is told of a run's tasks."""

    def __init__(self, graph: Graph) -> None:
        self._within: dict[str, list[str]] = {}
        for step in graph.steps.values():
            if step.foreach_scope:
                self._within.setdefault(step.foreach_scope[-1], []).append(step.name)
        self.steps: dict[str, Step] = {name: Step(name) for names in self._within.values() for name in names}

    def opened(self, step: str, width: int) -> None:
        """A foreach of a step has so many items."""
        for name in self._within.get(step, ()):
            self.steps[name].expected += width

    def reused(self, keys: Iterable[TaskKey]) -> None:
        """These tasks were cloned."""
        for key in keys:
            if key.step in self.steps:
                self.steps[key.step].reused += 1

    def wide(self, step: str) -> Step | None:
        """The step, where it has too many tasks to show each."""
        found = self.steps.get(step)
        return found if found is not None and found.is_wide else None

    def started(self, key: TaskKey, now: float) -> None:
        if (step := self.steps.get(key.step)) is not None:
            step.running += 1
            step.since = now if step.since is None else step.since

    def ended(self, key: TaskKey, *, succeeded: bool) -> None:
        if (step := self.steps.get(key.step)) is not None:
            step.running -= 1
            step.done += succeeded
            step.failing += not succeeded

    def killed(self, key: TaskKey) -> None:
        if (step := self.steps.get(key.step)) is not None:
            step.running -= 1

    def line(self, now: float, columns: int) -> str:
        """What is under way, cut to the width; "" where nothing is wide."""
        going = [
            step
            for step in self.steps.values()
            if step.is_wide and step.since is not None and not step.is_complete
        ]
        return "   ".join(told(step, now) for step in going)[: max(0, columns - 1)]


def told(step: Step, now: float) -> str:
    """`train: 1,234 of 10,000 done, 16 running, 2 failed, 0:42`."""
    parts = [f"{step.done + step.reused:,} of {step.expected:,} done", f"{step.running:,} running"]
    parts += [f"{step.failing:,} failed"] if step.failing else []
    return f"{step.name}: {', '.join([*parts, clock(now - (step.since or now))])}"


def clock(seconds: float) -> str:
    """`0:07`, `12:30`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
