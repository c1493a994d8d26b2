"""One artifact of a task."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reflow.client import html
from reflow.client.base import Named
from reflow.client.task import Task


class DataArtifact(Named):
    """An artifact, such as `DataArtifact("DebugFlow/3/a/0/x")`. Its value is read when `data` is asked
    for.
    """

    _form = "Flow/run/step/task/artifact"

    def __init__(self, pathspec: str, *, _task: Task | None = None, **options: Any) -> None:
        super().__init__(pathspec, **options)
        self._task = _task or Task("/".join(self._parts[:4]), _place=self._place)
        self._task._must_have(self.id)

    def _repr_html_(self) -> str:
        return html.of_artifact(self)

    @property
    def parent(self) -> Task:
        """The task."""
        return self._task

    @property
    def data(self) -> Any:
        """The value. Raises UnloadableValue where it can't be loaded here, saying what made it."""
        return getattr(self._task.data, self.id)

    @property
    def sha(self) -> str:
        """The hash of its pickle, which names its content: the same value has the same."""
        return self._task._table.ref(self.id).sha256

    @property
    def size(self) -> int:
        """The size of its pickle in bytes."""
        return self._task._table.ref(self.id).size

    @property
    def type(self) -> str:
        """The name of its type, known without loading it."""
        return self._task._table.ref(self.id).type

    @property
    def finished_at(self) -> datetime:
        """When the task ended."""
        return self._task.finished_at

    created_at = finished_at

    @property
    def tags(self) -> frozenset[str]:
        """The run's tags."""
        return self._task.tags
