"""Archives of packages, which a run's manifest refers to: blobs like any value, read and written as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from reflow.store import layout, sweeps
from reflow.store.artifacts import verify_file
from reflow.store.content import Content
from reflow.store.objects import ObjectStore
from reflow.values.errors import NotFound

_CHUNK = 1 << 20


def references(environments: Mapping[str, Any]) -> Iterator[str]:
    """The hashes of all archives that a manifest's environments name."""
    for archives in environments.get("archives", {}).values():
        yield from (str(archive[2]) for archive in archives)


def put(objects: ObjectStore, flow: str, path: Path) -> tuple[str, int]:
    """Keep a file; its sha256 and size."""
    with path.open("rb") as file:
        return _keep(objects, flow, file)


def keep(objects: ObjectStore, flow: str, sha256: str) -> None:
    """See to it that gc leaves it alone until a run refers to it: one that is old is written again. Raises NotFound."""
    key = layout.blob(flow, sha256)
    found = objects.stat(key)
    if found is None:
        raise NotFound(f"There is no {key} in the store {objects.url}.")
    if not sweeps.is_fresh(objects, key, found.size):
        with objects.open(key) as file:
            _keep(objects, flow, file)


def open_verified(objects: ObjectStore, flow: str, sha256: str) -> BinaryIO:
    """The file, at its start. Raises NotFound, CorruptObject."""
    key = layout.blob(flow, sha256)
    file = objects.open(key)
    try:
        verify_file(file, sha256, f"the archive {key}")
    except BaseException:
        file.close()
        raise
    return file


def _keep(objects: ObjectStore, flow: str, file: BinaryIO) -> tuple[str, int]:
    with Content(objects) as content:
        while chunk := file.read(_CHUNK):
            content.write(chunk)
        content.store(flow)
        return content.sha256, content.size
