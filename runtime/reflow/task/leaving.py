"""What a failed attempt had set when it failed: kept with its record, so that it can be looked at."""

from __future__ import annotations

from pickle import PickleBuffer
from typing import Any

from reflow.sdk.flowspec import STATE
from reflow.sdk.state import TaskState
from reflow.store import artifacts
from reflow.store.content import plain
from reflow.store.flowstore import FlowStore
from reflow.store.values import Record
from reflow.task.dumping import inheritance, new_artifacts
from reflow.values.dataclass import replace

MOST = 16 << 20  # bytes of a value; a bigger one isn't worth what keeping it costs: the attempt failed


def with_what_it_left(record: Record, state: TaskState, store: FlowStore) -> Record:
    """The record with the artifacts that the attempt had set, as far as they can be kept, and those it had taken over.

    Never fails: the failure that there is already is what counts.
    """
    try:
        held = vars(state.flow)
        for name in [name for name, value in held.items() if name != STATE and not _is_kept(value)]:
            del held[name]
            state.deleted.add(name)  # or what came before it would be seen in its place
        own = new_artifacts(state.flow, state, store)
        inherited, base, depth = inheritance(state, own)
        versions = store.versions(own.values())
    except Exception:
        return record
    return replace(record, artifacts=own, inherited=inherited, base=base, base_depth=depth, packages=versions)


def _is_kept(value: Any) -> bool:
    try:
        artifacts.write_pickle(value, _Limited())  # type: ignore[arg-type]
    except Exception:
        return False
    return True


class _Limited:
    """Takes a pickle up to its limit."""

    def __init__(self) -> None:
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview | PickleBuffer) -> int:
        data = plain(data)
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        self._size += size
        if self._size > MOST:
            raise ValueError("more than is kept")
        return size
