"""A task's artifacts as attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reflow.store.flowstore import FlowStore
from reflow.store.table import ArtifactTable


class TaskData:
    """A task's artifacts: each is loaded when it's first asked for, and kept.

    if "model" in task.data:
        task.data.model.predict(…)
    """

    def __init__(self, store: FlowStore, table: ArtifactTable, pathspec: str) -> None:
        self._store = store
        self._table = table
        self._pathspec = pathspec
        self._loaded: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._table:
            raise AttributeError(f"The task {self._pathspec} has no artifact {name!r}.")
        if name not in self._loaded:
            ref, record = self._table.held(name)
            self._loaded[name] = self._store.load(ref, name=name, made_by=record)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._table))

    def __dir__(self) -> list[str]:
        return sorted(self._table)

    def __repr__(self) -> str:
        return f"<data of {self._pathspec}: {', '.join(sorted(self._table))}>"
