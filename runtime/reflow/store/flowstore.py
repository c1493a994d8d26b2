"""One flow's part of a store, in the store's own words: manifests, records, ledger, logs, liveness.

Signatures only until the store's founder fills them in; others may rely on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from reflow.store.objects import ObjectStore
from reflow.store.values import ArtifactRef, IndexEntry, ItemsRef, Manifest, Record, RunEnd
from reflow.values.key import TaskKey


class FlowStore:
    """Everything of one flow: `<root>/<Flow>/…`. Cheap to make; holds no state but small caches."""

    def __init__(self, objects: ObjectStore, flow: str) -> None: ...

    # Runs
    def claim(self, make: Callable[[str], Manifest], wanted: str | None = None) -> Manifest:
        """Claim a run id by put-if-absent: the next small integer, or `wanted`. A manifest of the same owner is ours.

        Raises RunExists(ReflowError) where `wanted` belongs to another owner.
        """
        raise NotImplementedError

    def manifest(self, run: str) -> Manifest:
        """Raises NotFound, NewerFormat."""
        raise NotImplementedError

    def runs(self) -> Iterator[str]:
        """Run ids, newest first where they count up, then the others by age, newest first."""
        raise NotImplementedError

    def release(self, run: str) -> None:
        """Give a claimed id back: only where no task of it ever finished."""
        raise NotImplementedError

    def finish(self, run: str, end: RunEnd) -> None: ...
    def end(self, run: str) -> RunEnd | None: ...

    # Tasks
    def commit(self, run: str, record: Record) -> Record:
        """Put the record if absent and return the one that won (its own where the nonce is ours)."""
        raise NotImplementedError

    def result(self, run: str, key: TaskKey) -> Record | None:
        """The finished record, read through clones, or None."""
        raise NotImplementedError

    def failure(self, run: str, key: TaskKey, attempt: int) -> Record | None: ...

    def index(self, run: str) -> list[IndexEntry]:
        """Every task with a record, cloned ones included: ledger first, the records that it lacks from the bucket.

        One entry a task: its result, or its latest failed attempt. O(tasks), few requests where there's a ledger.
        """
        raise NotImplementedError

    def records(self, run: str, step: str, keys: Sequence[TaskKey]) -> list[Record]:
        """The finished records of many tasks of a step, from packs where there are some, the rest in parallel."""
        raise NotImplementedError

    # Artifacts
    def table(self, run: str, record: Record) -> Mapping[str, ArtifactRef]:
        """All artifacts that a task sees: its own, inherited and through its bases."""
        raise NotImplementedError

    def dump(self, value: Any, *, budget: int) -> ArtifactRef:
        """Pickle a value: inline where it fits `budget` bytes, else streamed into a blob."""
        raise NotImplementedError

    def load(self, ref: ArtifactRef, *, name: str, made_by: Record | None = None) -> Any:
        """Unpickle, after the content was verified. Raises UnloadableValue, CorruptObject, NotFound."""
        raise NotImplementedError

    def dump_items(self, variable: str, items: Iterable[Any], *, budget: int, limit: int) -> ItemsRef: ...
    def load_item(self, items: ItemsRef, index: int) -> Any: ...
