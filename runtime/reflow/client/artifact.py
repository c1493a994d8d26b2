"""One artifact of a task."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reflow.client import html
from reflow.client.task import Task
from reflow.client.within import WithinRun
from reflow.store.values import ArtifactRef


class DataArtifact(WithinRun):
    """An artifact, such as `DataArtifact("DebugFlow/3/a/0/x")`. Its value is read when `data` is asked
    for.
    """

    _form = "Flow/run/step/task/artifact"
    _has_attempts = True

    def __init__(
        self, pathspec: str, attempt: int | None = None, *, _task: Task | None = None, **options: Any
    ) -> None:
        super().__init__(pathspec, attempt, **options)
        self._task = _task or Task(
            "/".join(self._parts[:4]), self._attempt, _place=self._place, _namespace_check=False
        )
        self._task._must_have(self.id)
        self._check_namespace()

    def _repr_html_(self) -> str:
        return html.of_artifact(self)

    @property
    def parent(self) -> Task:
        """The task."""
        return self._task

    @property
    def data(self) -> Any:
        """The value. Raises UnloadableValue where it can't be loaded here, saying what made it."""
        return self._task.data._load(self.id)

    @property
    def _ref(self) -> ArtifactRef:
        return self._task._table.ref(self.id)

    @property
    def sha(self) -> str:
        """The hash of its pickle, which names its content: the same value has the same."""
        return self._ref.sha256

    @property
    def size(self) -> int:
        """The size of its pickle in bytes."""
        return self._ref.size

    @property
    def type(self) -> str:
        """The name of its type, known without loading it."""
        return self._ref.type

    @property
    def finished_at(self) -> datetime:
        """When the task ended."""
        return self._task.finished_at

    created_at = finished_at

    @property
    def origin_pathspec(self) -> str | None:
        """The same artifact of the task that its task was cloned from, None for one that ran in this run."""
        origin = self._task.origin_pathspec
        return f"{origin}/{self.id}" if origin else None
