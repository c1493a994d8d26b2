"""Claiming a run id: the manifest is put if absent, so of many claims of one id exactly one wins."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from reflow.store import formats, layout
from reflow.store.errors import RunExists
from reflow.store.objects import ObjectStore
from reflow.store.values import Manifest
from reflow.values.errors import CorruptObject, NewerFormat, NotFound, StoreError

_PATIENCE = 64  # ids tried one after the other; past that the hint is taken as lost, and the runs are listed


def claim_next(objects: ObjectStore, flow: str, make: Callable[[str], Manifest]) -> Manifest:
    """Claim the next small integer. A manifest of the same owner that is met on the way is ours already."""
    number, tries = _hinted(objects, flow), 0
    while True:
        number, tries = number + 1, tries + 1
        if tries == _PATIENCE:
            number = max(number, _highest(objects, flow) + 1)
        manifest = make(str(number))
        if _put(objects, flow, manifest) or _is_ours(objects, flow, manifest):
            remember(objects, flow, number)
            return manifest


def claim(objects: ObjectStore, flow: str, wanted: str, make: Callable[[str], Manifest]) -> Manifest:
    """Claim this id. Where it's ours already, the manifest as it was put. Raises RunExists where it's
    another's.
    """
    while True:
        manifest = make(wanted)
        if _put(objects, flow, manifest):
            return manifest
        found = _read(objects, flow, wanted)
        if found and found.owner == manifest.owner:
            return found
        if found:
            raise RunExists(f"The run {flow}/{wanted} exists already, and isn't this one's.")


def remember(objects: ObjectStore, flow: str, number: int) -> None:
    """Leave a hint for the next claim. No more than that: a lost, late or wrong one costs requests only."""
    with suppress(StoreError):
        objects.put(layout.last_run(flow), str(number).encode())


def _hinted(objects: ObjectStore, flow: str) -> int:
    try:
        return max(0, int(objects.get(layout.last_run(flow))))
    except (NotFound, ValueError):
        return _highest(objects, flow)


def _highest(objects: ObjectStore, flow: str) -> int:
    names = objects.list_folders(layout.runs(flow))
    return max((int(name) for name in names if name.isdecimal() and name.isascii()), default=0)


def _put(objects: ObjectStore, flow: str, manifest: Manifest) -> bool:
    return objects.put_if_absent(layout.run(flow, manifest.run).manifest, formats.encode_manifest(manifest))


def _is_ours(objects: ObjectStore, flow: str, manifest: Manifest) -> bool:
    """Whether the put that was refused is one of our own, whose answer was lost. A damaged one is somebody's."""
    try:
        found = _read(objects, flow, manifest.run)
    except (CorruptObject, NewerFormat):
        return False
    return found is not None and found.owner == manifest.owner


def _read(objects: ObjectStore, flow: str, run: str) -> Manifest | None:
    where = layout.run(flow, run).manifest
    try:
        return formats.decode_manifest(objects.get(where), where)
    except NotFound:
        return None
