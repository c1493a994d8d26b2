"""Which runs gc deletes: a pure choice, and the facts that it's made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from reflow.store import alive, formats, layout
from reflow.store.objects import ObjectStore
from reflow.store.parallel import each
from reflow.store.sweeps import GRACE
from reflow.store.values import RunEnd
from reflow.values.dataclass import dataclass
from reflow.values.errors import CorruptObject, NotFound


class State(StrEnum):
    """How a run is. `DEAD`: it has no end, and nobody works on it. `DAMAGED`: its manifest can't be read."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RUNNING = "running"
    DEAD = "dead"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Wish:
    """Runs to delete: these, or all but those to keep: the newest `keep`, and what isn't older than `newer_than`
    seconds. With none of it, no run is deleted, only spins older than GRACE."""

    runs: frozenset[str] = frozenset()
    keep: int | None = None
    newer_than: float | None = None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the choice needs of a run. `touched`: when it ended, or last showed a sign of life; `holders`: the run
    that it resumed, and those that hold records of tasks that it cloned."""

    run: str
    owner: str
    created: float
    touched: float
    state: State
    holders: frozenset[str] = frozenset()
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """`kept`: those that were to be deleted, and can't be: run → why."""

    doomed: tuple[RunFacts, ...]
    kept: Mapping[str, str]


def choose(facts: Sequence[RunFacts], wish: Wish, now: float) -> Choice:
    """Raises NotFound for a run that is named and isn't there, CorruptObject where an unreadable run isn't to be
    deleted: nobody knows what that needs."""
    known = {one.run for one in facts}
    for run in sorted(wish.runs - known):
        raise NotFound(f"There is no run {run} to delete.")
    for one in facts:
        if one.state is State.DAMAGED and one.run not in wish.runs:
            raise CorruptObject(
                f"The manifest of run {one.run} is damaged, so nobody knows what it needs, and nothing is deleted."
                f" Delete that run with --run {one.run}."
            )
    if wish.runs:
        return spared(facts, [one for one in facts if one.run in wish.runs])
    runs = [one for one in facts if not layout.is_spin(one.run)]
    return spared(facts, [*_beyond(runs, wish, now), *_old_spins(facts, now)])


def spared(facts: Iterable[RunFacts], doomed: Collection[RunFacts]) -> Choice:
    """Without those that still run, and those that a run which stays has cloned from."""
    kept = {one.run: "it is still running" for one in doomed if one.state is State.RUNNING}
    left = {one.run: one for one in doomed if one.run not in kept}
    stays = [one for one in facts if one.run not in left]
    while stays:
        one = stays.pop()
        for holder in sorted(one.holders & left.keys()):
            kept[holder] = f"run {one.run}, which stays, has resumed it or reuses tasks of it"
            stays.append(left.pop(holder))
    return Choice(tuple(left.values()), kept)


def _old_spins(facts: Iterable[RunFacts], now: float) -> list[RunFacts]:
    """A spin is a trial: nobody asks for it to be kept longer than what no run refers to."""
    return [one for one in facts if layout.is_spin(one.run) and one.touched < now - GRACE]


def _beyond(facts: Sequence[RunFacts], wish: Wish, now: float) -> list[RunFacts]:
    if wish.keep is None and wish.newer_than is None:
        return []
    newest_first = sorted(facts, key=lambda one: one.created, reverse=True)
    found = newest_first[wish.keep :] if wish.keep is not None else newest_first
    if wish.newer_than is not None:
        found = [one for one in found if one.touched < now - wish.newer_than]
    # Without an end, its scheduler may only be away, and come back to it.
    return [one for one in found if one.state is not State.DEAD or one.touched < now - GRACE]


# Reading


def read_facts(objects: ObjectStore, flow: str) -> tuple[list[RunFacts], list[str]]:
    """All runs, and the names of those that have no manifest (any more). Raises NewerFormat."""
    names = list(objects.list_folders(layout.runs(flow)))
    now = objects.now()
    found = each(lambda name: _facts(objects, flow, name, now), names, at_once=objects.parallel)
    return [one for one in found if one], [name for name, one in zip(names, found, strict=True) if not one]


def _facts(objects: ObjectStore, flow: str, run: str, now: float) -> RunFacts | None:
    try:
        where = layout.run(flow, run)
        data = objects.get(where.manifest)
    except NotFound:
        return None
    try:
        manifest = formats.decode_manifest(data, where.manifest)
        end = _end(objects, where)
    except CorruptObject:
        return RunFacts(run, "", 0.0, 0.0, State.DAMAGED)
    if end:
        state, touched = State.SUCCEEDED if end.succeeded else State.FAILED, end.ended
    else:
        touched = _last_sign(objects, where)
        state = State.RUNNING if now - touched < alive.DEAD_AFTER else State.DEAD
    holders = frozenset({*manifest.clones, *([manifest.origin.run] if manifest.origin else [])})
    return RunFacts(run, manifest.owner, manifest.created, touched, state, holders, manifest.code.sha256)


def _end(objects: ObjectStore, where: layout.RunLayout) -> RunEnd | None:
    try:
        return formats.decode_end(objects.get(where.end), where.end)
    except NotFound:
        return None


def _last_sign(objects: ObjectStore, where: layout.RunLayout) -> float:
    """Who has just claimed a run hasn't said yet that it's alive."""
    signs = [objects.stat(key) for key in (where.manifest, where.alive)]
    return max((sign.modified for sign in signs if sign), default=0.0)
