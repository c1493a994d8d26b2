"""Which of a step's artifacts are new, and where each goes: into the record while there's room, else into a blob."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pickle import PickleBuffer
from typing import Any

from reflow.sdk.finalise import config_values
from reflow.sdk.flowspec import STATE, FlowSpec, constants_of
from reflow.sdk.parameters import parameters_of
from reflow.sdk.state import TaskState
from reflow.store import artifacts
from reflow.store.content import plain
from reflow.store.errors import Unpicklable
from reflow.store.flowstore import FlowStore
from reflow.store.included import reference
from reflow.store.values import BASE_DEPTH, INLINE_LIMIT, ArtifactRef
from reflow.task.patience import patiently
from reflow.values.dataclass import replace
from reflow.values.errors import ReflowError
from reflow.values.key import TaskKey

IMMUTABLE = frozenset({int, float, complex, bool, str, bytes, type(None)})
COMPARED_ANEW = 64 << 20  # bytes; a bigger inherited value counts as changed once its pickle differs

Inherited = dict[str, tuple[ArtifactRef, TaskKey]]


def new_artifacts(flow: FlowSpec, state: TaskState, store: FlowStore) -> dict[str, ArtifactRef]:
    """Pickle what the step set or changed. Raises Unpicklable naming the artifact."""
    values = dict(own_values(flow, state))
    files = _included(type(flow), state) if state.before is None else {}
    refs = {name: _dump(store, name, value, INLINE_LIMIT) for name, value in values.items()}
    return {**_within_budget(store, refs, values), **files}


def _included(flow: type, state: TaskState) -> dict[str, ArtifactRef]:
    """Files that parameters stand for: their contents are in the store since before the run began."""
    found = {}
    for parameter in parameters_of(flow):
        ref = reference(state.parameters.get(parameter.name))
        if ref is not None and parameter.attribute not in state.merged:
            found[parameter.attribute] = ref
    return found


def own_values(flow: FlowSpec, state: TaskState) -> Mapping[str, Any]:
    """The artifacts that this task holds itself. One that inherits nothing holds parameters and constants too."""
    found: dict[str, Any] = _given(type(flow), state) if state.before is None else {}
    for name, value in vars(flow).items():
        if name == STATE or _is_used_up(name, value, state):
            continue
        loaded = state.loaded.get(name)
        if loaded is None or not _is_unchanged(name, value, loaded, state):
            found[name] = value
    return found


def _given(flow: type, state: TaskState) -> dict[str, Any]:
    given: dict[str, Any] = {name: value for name, value in constants_of(flow).items() if _can_be_kept(value)}
    for parameter in parameters_of(flow):
        value = state.parameters.get(parameter.name)
        if reference(value) is None:
            given[parameter.attribute] = value
    given.update(config_values(flow))
    return {name: value for name, value in given.items() if name not in state.merged}


def _can_be_kept(value: Any) -> bool:
    try:
        artifacts.write_pickle(value, _Hash())  # type: ignore[arg-type]
    except Unpicklable:
        return False
    return True


def _is_used_up(name: str, value: Any, state: TaskState) -> bool:
    """An iterator that the foreach has gone over: its items are kept, and it has no value of its own."""
    return bool(state.transition and state.transition.foreach == name and hasattr(value, "__next__"))


class _Hash:
    """Takes a pickle and keeps its hash alone."""

    def __init__(self) -> None:
        self._hash = sha256()

    def write(self, data: bytes | bytearray | memoryview | PickleBuffer) -> int:
        data = plain(data)
        self._hash.update(data)
        return data.nbytes if isinstance(data, memoryview) else len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _is_unchanged(name: str, value: Any, loaded: ArtifactRef, state: TaskState) -> bool:
    """Whether a value that the step only read is still what it was.

    A pickle may differ from the one it was loaded from without any change (strings that were shared and no longer
    are), so where it differs, the stored value is loaded once more and compared in the same way.
    """
    if type(value) in IMMUTABLE:
        return True
    now = _pickle_hash(name, value)
    if now == loaded.sha256:
        return True
    if loaded.size > COMPARED_ANEW:
        return False
    found = state.find(name)
    try:
        return found is not None and now == _pickle_hash(name, state.records.load(name, *found))
    except ReflowError:
        return False


def _pickle_hash(name: str, value: Any) -> str:
    target = _Hash()
    try:
        artifacts.write_pickle(value, target)  # type: ignore[arg-type]
    except Unpicklable as error:
        raise _named(name, error) from error
    return target.sha256


def _dump(store: FlowStore, name: str, value: Any, budget: int) -> ArtifactRef:
    try:
        return patiently(lambda: store.dump(value, budget=budget))
    except Unpicklable as error:
        raise _named(name, error) from error


def _named(name: str, error: Unpicklable) -> Unpicklable:
    found = Unpicklable(
        f"self.{name} can't be kept as an artifact. {error.reason}. Keep it in a local variable, "
        f"or `del self.{name}` before self.next(…)."
    )
    found.artifact = name
    return found


def _within_budget(
    store: FlowStore, refs: dict[str, ArtifactRef], values: Mapping[str, Any]
) -> dict[str, ArtifactRef]:
    """The smallest stay in the record, up to INLINE_LIMIT in all; the others go into blobs after all."""
    room = INLINE_LIMIT
    kept = dict(refs)
    for name, ref in sorted(refs.items(), key=lambda item: item[1].size):
        if ref.inline is None:
            continue
        if ref.size <= room:
            room -= ref.size
        else:
            kept[name] = _dump(store, name, values[name], 0)
    return kept


def room_left(refs: Mapping[str, ArtifactRef]) -> int:
    """Bytes that the record still has room for."""
    return INLINE_LIMIT - sum(ref.size for ref in refs.values() if ref.inline is not None)


def inheritance(state: TaskState, own: Mapping[str, ArtifactRef]) -> tuple[Inherited, TaskKey | None, int]:
    """What the record says of artifacts that others hold: (inherited, base, base_depth)."""
    if state.before is None:
        return _bare(state.merged, own, state.deleted), None, 0
    depth = state.before.record.base_depth + 1
    if depth <= BASE_DEPTH and not state.deleted:
        return {}, state.before.record.key, depth
    return _bare(state.before.table(), own, state.deleted), None, 0


def _bare(table: Inherited, own: Mapping[str, ArtifactRef], deleted: set[str]) -> Inherited:
    return {
        name: (replace(ref, inline=None), holder)
        for name, (ref, holder) in table.items()
        if name not in own and name not in deleted
    }
