"""Garbage: runs that nobody wants any more, and values and code that no run refers to. Mark and sweep.

The order, which is what makes it safe beside runs and resumes (see `sweeps`): runs are deleted first, after a last look
at who has cloned from them; then the records of all that stay say which blobs are in use; then blobs older than GRACE
that aren't are deleted, after a last look at their age. Memory is bounded: hashes in use are on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reflow.store import alive, catalog, layout
from reflow.store.gc_live import Live, add_run, hash_of
from reflow.store.gc_runs import Choice, RunFacts, Wish, choose, read_facts, spared
from reflow.store.gc_sweep import Sweep, batches, forget_old_marks, without
from reflow.store.objects import ObjectInfo, ObjectStore
from reflow.store.sweeps import GRACE, Mark
from reflow.values.dataclass import dataclass, field
from reflow.values.errors import NotFound

_CANDIDATES = 5000  # blobs looked at a last time, and deleted, under one mark


@dataclass(slots=True)
class Amount:
    """So many objects, of so many bytes in all."""

    objects: int = 0
    bytes: int = 0

    def add(self, info: ObjectInfo) -> None:
        self.objects += 1
        self.bytes += info.size


@dataclass(frozen=True, slots=True)
class Garbage:
    """What is to be deleted, or has been. `kept`: runs that were to be deleted, and can't be: run → why. `contents`:
    blobs and code that nothing refers to; `young`: the same, but younger than GRACE, so left; `live`: those in use.
    `leftovers`: of runs that were given up, and the like."""

    flow: str
    runs: dict[RunFacts, Amount] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    contents: Amount = field(default_factory=Amount)
    young: Amount = field(default_factory=Amount)
    live: Amount = field(default_factory=Amount)
    leftovers: Amount = field(default_factory=Amount)

    @property
    def total(self) -> Amount:
        """All that is to be deleted, or has been."""
        parts = [*self.runs.values(), self.contents, self.leftovers]
        return Amount(sum(part.objects for part in parts), sum(part.bytes for part in parts))


def survey(objects: ObjectStore, flow: str, wish: Wish) -> Garbage:
    """What `collect` would delete now. Writes nothing. Raises NotFound, CorruptObject, NewerFormat."""
    now = objects.now()
    facts, remains = read_facts(objects, flow)
    choice = choose(facts, wish, now)
    doomed = {one.run for one in choice.doomed}
    found = Garbage(flow, {one: _size(objects, flow, one.run) for one in choice.doomed}, dict(choice.kept))
    with Live() as live:
        stays = [one for one in facts if one.run not in doomed]
        codes = _mark(objects, flow, stays, live)
        for _ in _unused(objects, flow, live, codes, now, found):
            pass
    for info in _leftovers(objects, flow, remains, now):
        found.leftovers.add(info)
    return found


def collect(objects: ObjectStore, flow: str, wish: Wish) -> Garbage:
    """Delete garbage; what was deleted. Raises NotFound, CorruptObject, NewerFormat, StoreError.

    May be broken off, killed or repeated at any time, and run beside runs, resumes and another gc.
    """
    facts, remains = read_facts(objects, flow)
    choice = choose(facts, wish, objects.now())
    found = Garbage(flow, {}, dict(choice.kept))
    if choice.doomed:
        facts = _delete_runs(objects, flow, choice, found)
    _delete_leftovers(objects, flow, remains, found.leftovers)
    with Live() as live:
        # A run claimed by now needn't be known: what it writes is young, and what it clones from stays.
        codes = _mark(objects, flow, facts, live)
        _delete_unused(objects, flow, live, codes, found)
    forget_old_marks(objects, flow)
    return found


# Runs


def _delete_runs(objects: ObjectStore, flow: str, choice: Choice, found: Garbage) -> list[RunFacts]:
    """All but those that are needed after all; the facts of the runs that stay."""
    wanted = {(one.run, one.owner) for one in choice.doomed}
    with Sweep(objects, flow, Mark(runs=frozenset(one.run for one in choice.doomed))) as sweep:
        facts, _ = read_facts(objects, flow)
        last = spared(facts, [one for one in facts if (one.run, one.owner) in wanted])
        for one in last.doomed:
            found.runs[one] = _delete_run(objects, flow, one.run, sweep)
    found.kept.update(last.kept)
    return [one for one in facts if one not in found.runs]


def _delete_run(objects: ObjectStore, flow: str, run: str, sweep: Sweep) -> Amount:
    """Records first, so that nothing is ever cloned whose output is gone; the manifest, which holds the id, last."""
    where, amount = layout.run(flow, run), Amount()
    sweep.delete(_counted(objects.list(where.tasks), amount))
    manifest = objects.stat(where.manifest)
    sweep.delete(_counted(without(objects.list(where.root), where.manifest), amount))
    catalog.forget(objects, flow, run)
    alive.forget_lock(objects, where)
    if manifest:
        sweep.delete(_counted([manifest], amount))
    return amount


def _size(objects: ObjectStore, flow: str, run: str) -> Amount:
    amount = Amount()
    for info in objects.list(layout.run(flow, run).root):
        amount.add(info)
    return amount


# Leftovers


def _leftovers(objects: ObjectStore, flow: str, remains: Iterable[str], now: float) -> Iterator[ObjectInfo]:
    """Old objects below runs without a manifest, and graphs of code whose run began long ago."""
    for run in remains:
        try:
            folder = layout.run(flow, run).root
        except NotFound:
            continue  # not ours
        yield from _older(objects.list(folder), now)
    yield from _older(objects.list(layout.graphs(flow)), now)


def _delete_leftovers(objects: ObjectStore, flow: str, remains: list[str], amount: Amount) -> None:
    if next(_leftovers(objects, flow, remains, objects.now()), None) is None:
        return
    with Sweep(objects, flow, Mark(runs=frozenset(remains))) as sweep:
        still = [run for run in remains if objects.stat(f"{layout.runs(flow)}{run}/manifest") is None]
        sweep.delete(_counted(_leftovers(objects, flow, still, objects.now()), amount))


# Blobs and code


def _mark(objects: ObjectStore, flow: str, facts: Iterable[RunFacts], live: Live) -> set[str]:
    """Into `live` what these runs refer to; the keys of their code."""
    codes = set()
    for one in facts:
        if one.code:
            codes.add(layout.code(flow, one.code))
        add_run(live, objects, layout.run(flow, one.run))
    return codes


def _unused(
    objects: ObjectStore, flow: str, live: Live, codes: set[str], now: float, found: Garbage
) -> Iterator[ObjectInfo]:
    """Blobs and code that may go, counted in `found`."""
    for info in _blobs_and_code(objects, flow, live, codes, found.live):
        if info.modified < now - GRACE:
            found.contents.add(info)
            yield info
        else:
            found.young.add(info)


def _blobs_and_code(
    objects: ObjectStore, flow: str, live: Live, codes: set[str], used: Amount
) -> Iterator[ObjectInfo]:
    """Those that nothing refers to."""
    for prefix in list(objects.list_folders(layout.blobs(flow))):
        bucket = live.bucket(prefix)
        for info in objects.list(f"{layout.blobs(flow)}{prefix}/"):
            found = hash_of(flow, info.key)
            if found and found[1] in bucket:
                used.add(info)
            elif found:
                yield info
    for info in objects.list(layout.codes(flow)):
        if info.key in codes:
            used.add(info)
        else:
            yield info


def _delete_unused(objects: ObjectStore, flow: str, live: Live, codes: set[str], found: Garbage) -> None:
    seen = Garbage(flow, live=found.live, young=found.young)
    candidates = _unused(objects, flow, live, codes, objects.now(), seen)
    for part in batches(candidates, _CANDIDATES):
        with Sweep(objects, flow, Mark(contents=True)) as sweep:
            old = _older(_listed_again(objects, {info.key for info in part}), objects.now())
            sweep.delete(_counted(old, found.contents))


def _listed_again(objects: ObjectStore, keys: set[str]) -> Iterator[ObjectInfo]:
    """These objects as they are now, by few requests."""
    for folder in sorted({key.rpartition("/")[0] for key in keys}):
        yield from (info for info in list(objects.list(f"{folder}/")) if info.key in keys)


def _older(infos: Iterable[ObjectInfo], now: float) -> Iterator[ObjectInfo]:
    return (info for info in infos if info.modified < now - GRACE)


def _counted(infos: Iterable[ObjectInfo], amount: Amount) -> Iterator[str]:
    for info in infos:
        amount.add(info)
        yield info.key
