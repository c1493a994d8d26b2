"""All artifacts that a task sees: those it set, those it inherited, and those of the tasks behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from reflow.store.values import INLINE_LIMIT, ArtifactRef, Record
from reflow.values.dataclass import replace
from reflow.values.errors import NotFound
from reflow.values.key import TaskKey

ReadResult = Callable[[TaskKey], "Record | None"]


class ArtifactTable(Mapping[str, ArtifactRef]):
    """Names → artifacts. Refs of inherited small values get their content only when they're asked for."""

    def __init__(self, record: Record, result: ReadResult) -> None:
        """`result` reads the result of another task of the run."""
        self._result = result
        self._found: dict[str, tuple[ArtifactRef, Record | TaskKey]] = {}
        for each in _chain(record, result):
            for name, ref in each.artifacts.items():
                self._found.setdefault(name, (ref, each))
            for name, (ref, holder) in each.inherited.items():
                self._found.setdefault(name, (ref, holder))

    def __getitem__(self, name: str) -> ArtifactRef:
        return self.held(name)[0]

    def held(self, name: str) -> tuple[ArtifactRef, Record]:
        """An artifact and the record that holds it, which says what made it. Raises KeyError, NotFound."""
        ref, holder = self._found[name]
        if isinstance(holder, TaskKey):
            holder = _must(self._result, holder)
            ref = _with_content(ref, holder)
            self._found[name] = (ref, holder)
        return ref, holder

    def ref(self, name: str) -> ArtifactRef:
        """An artifact's hash, size and type, perhaps without its content. Never a request. Raises
        KeyError.
        """
        return self._found[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _chain(record: Record, result: ReadResult) -> Iterator[Record]:
    yield record
    while record.base is not None:
        record = _must(result, record.base)
        yield record


def _must(result: ReadResult, key: TaskKey) -> Record:
    found = result(key)
    if found is None:
        raise NotFound(
            f"The record of the task {key} is gone from the store, and others' artifacts are in it."
        )
    return found


def _with_content(ref: ArtifactRef, holder: Record) -> ArtifactRef:
    """The ref with the small value that its holder's record carries, found by its hash."""
    if ref.inline is not None or ref.size > INLINE_LIMIT:
        return ref
    inline = (theirs.inline for theirs in holder.artifacts.values() if theirs.sha256 == ref.sha256)
    return replace(ref, inline=next((data for data in inline if data is not None), None))
