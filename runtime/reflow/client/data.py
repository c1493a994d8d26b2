"""A task's artifacts as attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reflow.store.flowstore import FlowStore
from reflow.store.table import ArtifactTable


class TaskData:
    """A task's artifacts: each is loaded when it's first asked for, and kept. Names that begin with `_` are left out.

    if "model" in task.data:
        task.data.model.predict(…)
    """

    def __init__(self, store: FlowStore, table: ArtifactTable, pathspec: str) -> None:
        self._store = store
        self._table = table
        self._pathspec = pathspec
        self._loaded: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._table:
            raise AttributeError(f"The task {self._pathspec} has no artifact {name!r}.")
        return self._load(name)

    def _load(self, name: str) -> Any:
        if name not in self._loaded:
            ref, record = self._table.held(name)
            self._loaded[name] = self._store.load(ref, name=name, made_by=record)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and not name.startswith("_") and name in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(name for name in sorted(self._table) if not name.startswith("_"))

    def __dir__(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        return f"<data of {self._pathspec}: {', '.join(self)}>"
