"""How gc and those who write at the same time keep out of each other's way.

gc says in the store what it is about to delete, in a mark (`<Flow>/gc/<nonce>`), before it looks a last time whether
that may go; when it's done, the mark says so, and stays for a week. Who relies on something that gc might take writes
first, and looks for marks then. So at least one of the two sees the other: gc leaves what was written before it
looked, and the writer, where it finds a mark, waits until that sweep is over and looks whether its object is still
there. A mark of a gc that died counts no longer than LEASE.

Where no gc has been at work for a week, all of it is one listing that finds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator

from reflow.store import formats, layout
from reflow.store.objects import ObjectInfo, ObjectStore
from reflow.store.values import FORMAT
from reflow.values.dataclass import dataclass
from reflow.values.errors import CorruptObject, NotFound, StoreUnreachable

LEASE = 120.0  # seconds by the store's clock; gc renews its mark well before
GRACE = 7 * 24 * 3600.0  # seconds; what is younger is never garbage
FRESH = GRACE / 2  # seconds; a writer that finds a blob older than this writes it again
_PAUSE = 0.1  # seconds between two looks
_TRIES = 10  # times that something is written again because gc has just taken it
_PATIENCE = 2 * LEASE  # seconds; a sweep that goes on for longer renews its mark


@dataclass(frozen=True, slots=True)
class Mark:
    """What a gc is deleting now: blobs and code, or these runs, or nothing any more."""

    contents: bool = False
    runs: frozenset[str] = frozenset()


def encode(mark: Mark) -> bytes:
    return formats.dumps({"v": FORMAT, "contents": mark.contents, "runs": sorted(mark.runs)})


def contents_may_be_gone(objects: ObjectStore, flow: str) -> bool:
    """To be asked after a blob or code was written: False where no gc can have deleted it since.

    Where a sweep is under way, waits for its end. Raises StoreUnreachable where that takes too long.
    """
    return _let_pass(objects, flow, lambda mark: mark.contents)


def put_for_good(objects: ObjectStore, flow: str, key: str, put: Callable[[], None]) -> None:
    """Write a blob or code by `put`, again where gc has taken it meanwhile. Raises StoreUnreachable."""
    for _ in range(_TRIES):
        put()
        if not contents_may_be_gone(objects, flow) or objects.stat(key):
            return
    raise StoreUnreachable(f"The store's {key} vanishes as soon as it's written. Try again later.")


def runs_may_be_gone(objects: ObjectStore, flow: str, runs: Collection[str]) -> bool:
    """To be asked after a manifest that needs these runs was put: False where no gc can have deleted them since.

    Waits, and raises, as `contents_may_be_gone` does.
    """
    return _let_pass(objects, flow, lambda mark: not mark.runs.isdisjoint(runs))


def is_fresh(objects: ObjectStore, key: str, size: int) -> bool:
    """Whether a blob or code of this size is there, and so young that it needn't be written again."""
    found = objects.stat(key)
    return bool(found and found.size == size and found.modified > objects.now() - FRESH)


def _let_pass(objects: ObjectStore, flow: str, matters: Callable[[Mark], bool]) -> bool:
    until = time.monotonic() + _PATIENCE
    while marks := list(objects.list(layout.sweeps(flow))):
        if not any(map(matters, _under_way(objects, marks))):
            return True
        if time.monotonic() > until:
            raise StoreUnreachable(
                f"`gc` has been deleting garbage of {flow} in the store {objects.url} for long. Try again later."
            )
        time.sleep(_PAUSE)
    return False


def _under_way(objects: ObjectStore, marks: Collection[ObjectInfo]) -> Iterator[Mark]:
    now = objects.now()
    for info in marks:
        if now - info.modified < LEASE:
            yield _read(objects, info.key)


def _read(objects: ObjectStore, key: str) -> Mark:
    try:
        return formats.read(
            objects.get(key), key, lambda found: Mark(bool(found["contents"]), frozenset(found["runs"]))
        )
    except (NotFound, CorruptObject):
        return Mark()
