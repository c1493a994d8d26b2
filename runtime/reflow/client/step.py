"""One step of a run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reflow.client import html
from reflow.client.base import Parent
from reflow.client.batch import batches
from reflow.client.errors import MetaflowNotFound
from reflow.client.task import Task
from reflow.store.values import IndexEntry


class Step(Parent):
    """A step of a run: its tasks, in the order of their foreach and loop indices."""

    _form = "Flow/run/step"

    def __init__(self, pathspec: str, **options: Any) -> None:
        super().__init__(pathspec, **options)
        steps = self._store.manifest(self._run).graph.steps
        if self.id not in steps:
            raise MetaflowNotFound(
                f"The run {'/'.join(self._parts[:2])} has no step {self.id}; its steps are {', '.join(steps)}."
            )

    @property
    def _run(self) -> str:
        return self._parts[1]

    @property
    def parent(self) -> Any:
        """The run."""
        from reflow.client.run import Run

        return Run("/".join(self._parts[:2]), _place=self._place, _any_namespace=True)

    def __iter__(self) -> Iterator[Task]:
        return self.tasks()

    def tasks(self, *tags: str) -> Iterator[Task]:
        """The tasks that have finished or failed, cloned ones included. All have the run's tags."""
        if tags and not set(tags) <= self.parent.tags:
            return
        for entry, batch in batches(self._store, self._run, self._entries()):
            yield Task(f"{self.pathspec}/{entry.key.id}", _place=self._place, _entry=entry, _batch=batch)

    def _entries(self) -> list[IndexEntry]:
        found = (entry for entry in self._store.index(self._run) if entry.key.step == self.id)
        return sorted(found, key=lambda entry: entry.key)

    def _repr_html_(self) -> str:
        return html.of_step(self)

    def __getitem__(self, child: str) -> Task:
        try:
            return Task(f"{self.pathspec}/{child}", _place=self._place)
        except MetaflowNotFound as error:
            raise KeyError(str(error)) from None

    @property
    def task(self) -> Task | None:
        """The step's only task, or the first of several; None while there is none."""
        return next(self.tasks(), None)

    @property
    def finished_at(self) -> datetime | None:
        """When the last of its tasks ended; None while there is none."""
        return max((task.finished_at for task in self.tasks()), default=None)

    @property
    def created_at(self) -> datetime | None:
        """When the first of its tasks began; None while there is none."""
        return min((task.created_at for task in self.tasks()), default=None)

    @property
    def tags(self) -> frozenset[str]:
        """The run's tags."""
        found: frozenset[str] = self.parent.tags
        return found

    @property
    def origin_pathspec(self) -> str | None:
        """The same step of the run that this one resumed, None where it resumed none."""
        origin = self._store.manifest(self._run).origin
        return f"{self._parts[0]}/{origin.run}/{self.id}" if origin else None

    @property
    def parent_steps(self) -> list[Step]:
        """The steps that lead to this one."""
        return self._steps(self._store.manifest(self._run).graph.sources[self.id])

    @property
    def child_steps(self) -> list[Step]:
        """The steps to which this one leads."""
        return self._steps(self._store.manifest(self._run).graph.steps[self.id].targets)

    def _steps(self, names: tuple[str, ...]) -> list[Step]:
        return [Step("/".join((*self._parts[:2], name)), _place=self._place) for name in names]
