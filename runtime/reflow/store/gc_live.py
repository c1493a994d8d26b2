"""What is in use: the hashes of all blobs that records refer to, on disk, since they may be many millions."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from reflow.store import archives, formats, included, layout, ledger
from reflow.store.layout import RunLayout
from reflow.store.objects import ObjectStore
from reflow.store.parallel import each
from reflow.store.values import Record
from reflow.values.errors import CorruptObject, NewerFormat, NotFound

_BUFFER = 4096  # bytes kept in memory for each of the 256 buckets
_AT_ONCE = 500  # records read and let go of again
_WIDTH = 32  # bytes of a hash


class Live:
    """A set of blobs' hashes, in 256 files by their first byte: one bucket at a time is in memory."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="reflow-gc-")
        self._buffers: defaultdict[str, bytearray] = defaultdict(bytearray)

    def __enter__(self) -> Live:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def add(self, sha256: str) -> None:
        buffer = self._buffers[sha256[:2]]
        buffer += bytes.fromhex(sha256)
        if len(buffer) >= _BUFFER:
            with self._path(sha256[:2]).open("ab") as file:
                file.write(buffer)
            buffer.clear()

    def bucket(self, prefix: str) -> set[bytes]:
        """The hashes that start with these two hex digits."""
        path = self._path(prefix)
        data = (path.read_bytes() if path.exists() else b"") + bytes(self._buffers.get(prefix, b""))
        return {data[at : at + _WIDTH] for at in range(0, len(data), _WIDTH)}

    def _path(self, prefix: str) -> Path:
        return Path(self._folder.name, prefix)


def add_run(live: Live, objects: ObjectStore, run: RunLayout) -> None:
    """All that the run's own records refer to. Raises CorruptObject, NewerFormat where one can't be read."""
    try:
        for sha256 in _of_manifest(objects, run):
            live.add(sha256)
        for record in _records(objects, run):
            for sha256 in references(record):
                live.add(sha256)
    except (CorruptObject, NewerFormat) as error:
        raise type(error)(
            f"gc can't tell what run {run.flow}/{run.run} needs, so no value or code is deleted: {error}"
            f" If nobody needs that run, delete it with `gc --run {run.run}`."
        ) from error


def _of_manifest(objects: ObjectStore, run: RunLayout) -> Iterator[str]:
    """The contents of files that the run's parameters stand for, and the archives of its packages."""
    try:
        manifest = formats.decode_manifest(objects.get(run.manifest), run.manifest)
    except NotFound:
        return
    yield from (ref.sha256 for ref in included.references(manifest.parameters))
    yield from archives.references(manifest.environments)


def references(record: Record) -> Iterator[str]:
    """The blobs that a record refers to."""
    yield from (ref.sha256 for ref in record.artifacts.values() if ref.inline is None)
    yield from (ref.sha256 for ref, _ in record.inherited.values())
    if record.items and record.items.inline is None:
        yield record.items.sha256


def _records(objects: ObjectStore, run: RunLayout) -> Iterator[Record]:
    """Each record of the run, those of failed attempts too: from packs as far as they go."""
    by_step: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for info in objects.list(run.tasks):
        name = run.record_name(info.key)
        if name:
            by_step[name.step][name.id if name.attempt is None else info.key] = info.key
    for step, names in by_step.items():
        for pack in list(objects.list(run.packs(step))):
            for record in ledger.read_pack(objects, pack, names.keys()):
                if record.key.step == step and names.pop(record.key.id, ""):
                    yield record
        yield from _singly(objects, list(names.values()))


def _singly(objects: ObjectStore, names: list[str]) -> Iterator[Record]:
    for start in range(0, len(names), _AT_ONCE):
        part = names[start : start + _AT_ONCE]
        yield from _present(each(lambda name: _read(objects, name), part, at_once=objects.parallel))


def _present(records: Iterable[Record | None]) -> Iterator[Record]:
    return (record for record in records if record)


def _read(objects: ObjectStore, name: str) -> Record | None:
    try:
        return formats.decode_record(objects.get(name), name)
    except NotFound:
        return None


def hash_of(flow: str, key: str) -> tuple[str, bytes] | None:
    """A blob's bucket and hash from its object's key, None where it's no blob."""
    bucket, _, sha256 = key[len(layout.blobs(flow)) :].partition("/")
    try:
        digest = bytes.fromhex(sha256)
    except ValueError:
        return None
    return (bucket, digest) if len(digest) == _WIDTH and sha256[:2] == bucket else None
