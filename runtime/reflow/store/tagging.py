"""A run's tags as they were changed: each change is a new object, numbered, put if absent, with all tags in it.

So of two changes at once one comes first, and the other is made anew upon it: none is lost. The latest object counts;
older ones are deleted in time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from reflow.store import formats, layout
from reflow.store.objects import ObjectStore
from reflow.store.values import FORMAT
from reflow.values.errors import NotFound, StoreUnreachable
from reflow.values.untrusted import text

KEPT = 64  # changes; one that was begun before so many others is begun anew
TRIES = 1000  # times that others may come first
PAUSE = 0.002  # seconds before the next try, times the number of tries so far, up to a hundredth of a second

Tags = tuple[str, ...]


def read(objects: ObjectStore, flow: str, run: str) -> Tags | None:
    """The tags after the latest change; None where there was none."""
    return _latest(objects, flow, run)[1]


def change(
    objects: ObjectStore, flow: str, run: str, first: Tags, make: Callable[[Tags], Iterable[str]]
) -> Tags:
    """Make new tags of those that are there, `first` where none were changed yet. The new ones. `make` may be called
    again and again; what it raises goes on. Raises StoreUnreachable."""
    for tries in range(TRIES):
        number, found = _latest(objects, flow, run)
        tags = tuple(sorted(set(make(first if found is None else found))))
        if _put(objects, layout.run(flow, run).tagging, number + 1, tags):
            return tags
        time.sleep(min(0.01, PAUSE * tries))
    raise StoreUnreachable(f"The tags of {flow}/{run} are changed by others all the time. Try again later.")


def _put(objects: ObjectStore, folder: str, number: int, tags: Tags) -> bool:
    key = f"{folder}{number:08d}"
    if not objects.put_if_absent(key, formats.dumps({"v": FORMAT, "tags": list(tags)})):
        return False
    keys = [info.key for info in objects.list(folder)]
    if _number(keys[-1]) - number >= KEPT:  # begun so long ago that its number was free again
        objects.delete([key])
        return False
    objects.delete([old for old in keys if _number(old) <= number - KEPT])
    return True


def _latest(objects: ObjectStore, flow: str, run: str) -> tuple[int, Tags | None]:
    where = layout.run(flow, run)
    keys = [info.key for info in objects.list(where.tagging)]
    number, key = (_number(keys[-1]), keys[-1]) if keys else (0, where.tags)
    try:
        data = objects.get(key)
    except NotFound:  # never changed
        return number, None
    return number, formats.read(data, key, lambda found: tuple(map(text, found["tags"])))


def _number(key: str) -> int:
    return int(key.rpartition("/")[2])
