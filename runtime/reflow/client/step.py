"""One step of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from reflow.client import html
from reflow.client.batch import batches
from reflow.client.errors import MetaflowNotFound
from reflow.client.kin import begun
from reflow.client.task import Task
from reflow.client.within import WithinRun
from reflow.environments.lock import told
from reflow.graph.types import PARALLEL
from reflow.store.values import IndexEntry


class Step(WithinRun):
    """A step of a run that has begun: its tasks, the latest first, that is those of the highest foreach and loop
    indices.
    """

    _form = "Flow/run/step"

    def __init__(
        self, pathspec: str, attempt: int | None = None, *, _is_there: bool = False, **options: Any
    ) -> None:
        super().__init__(pathspec, attempt, **options)
        steps = self._store.manifest(self._run).graph.steps
        if self.id not in steps:
            raise MetaflowNotFound(
                f"The run {'/'.join(self._parts[:2])} has no step {self.id}; its steps are {', '.join(steps)}."
            )
        if not _is_there and not self._has_begun():
            raise MetaflowNotFound(f"The step {self.pathspec} has not begun: there is no task of it.")
        self._check_namespace()

    def _has_begun(self) -> bool:
        return self._store.has_task(self._run, self.id) or self.id in begun(self._store, self._run)

    @property
    def parent(self) -> Any:
        """The run."""
        return self._of_run

    def __iter__(self) -> Iterator[Task]:
        return self.tasks()

    def tasks(self, *tags: str) -> Iterator[Task]:
        """The tasks that have finished or failed, cloned ones included. All have the run's tags."""
        if tags and not set(tags) <= self.tags:
            return
        for entry, batch in batches(self._store, self._run, self._entries()):
            yield Task(
                f"{self.pathspec}/{entry.key.id}",
                _place=self._place,
                _entry=entry,
                _batch=batch,
                _namespace_check=False,
            )

    def _entries(self) -> list[IndexEntry]:
        found = (entry for entry in self._store.index(self._run) if entry.key.step == self.id)
        return sorted(found, key=lambda entry: entry.key, reverse=True)

    def _repr_html_(self) -> str:
        return html.of_step(self)

    def __getitem__(self, child: str) -> Task:
        try:
            return Task(f"{self.pathspec}/{child}", _place=self._place, _namespace_check=False)
        except MetaflowNotFound as error:
            raise KeyError(str(error)) from None

    @property
    def task(self) -> Task | None:
        """The step's only task, or the latest of several; None while there is none."""
        return next(self.tasks(), None)

    def control_tasks(self, *tags: str) -> Iterator[Task]:
        """The first task of each gang, where this is a step of `num_parallel` tasks."""
        if self._is_gang:
            yield from (task for task in self.tasks(*tags) if task.index == 0)

    @property
    def control_task(self) -> Task | None:
        """The first task of the gang; None where the step is none."""
        return next(self.control_tasks(), None)

    @property
    def _is_gang(self) -> bool:
        graph = self._store.manifest(self._run).graph
        return any(graph.steps[source].foreach == PARALLEL for source in graph.sources[self.id])

    @property
    def finished_at(self) -> datetime | None:
        """When the last of its tasks ended; None while there is none."""
        return max((task.finished_at for task in self.tasks()), default=None)

    @property
    def created_at(self) -> datetime | None:
        """When the first of its tasks began; None while there is none."""
        return min((task.created_at for task in self.tasks()), default=None)

    @property
    def environment_info(self) -> dict[str, Any] | None:
        """The packages that the step ran with, where it has an environment of its own (`@pypi`, `@conda`)."""
        return told(self._store.manifest(self._run).environments, self.id)

    @property
    def origin_pathspec(self) -> str | None:
        """The same step of the run that this one resumed, None where it resumed none."""
        origin = self._store.manifest(self._run).origin
        return f"{self._parts[0]}/{origin.run}/{self.id}" if origin else None

    @property
    def parent_steps(self) -> Iterator[Step]:
        """The steps that lead to this one, as far as they have begun."""
        return self._steps(self._store.manifest(self._run).graph.sources[self.id])

    @property
    def child_steps(self) -> Iterator[Step]:
        """The steps to which this one leads, as far as they have begun."""
        return self._steps(self._store.manifest(self._run).graph.steps[self.id].targets)

    def _steps(self, names: Iterable[str]) -> Iterator[Step]:
        there = begun(self._store, self._run)
        for name in dict.fromkeys(names):
            if name in there:
                path = "/".join((*self._parts[:2], name))
                yield Step(path, _place=self._place, _namespace_check=False, _is_there=True)
