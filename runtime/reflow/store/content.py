"""Bytes on their way into a blob: hashed as they come, in memory while they're few, in a file once
they're many.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from pickle import PickleBuffer
from types import TracebackType
from typing import BinaryIO

from reflow.store import layout, sweeps
from reflow.store.folder_errors import explain
from reflow.store.objects import ObjectStore

MEMORY_LIMIT = 256 * 1024  # bytes; more goes to a file, and is asked for before it's written once more
APART = 4 << 20  # bytes, from which on hashing a buffer beside writing it pays for the thread


@contextmanager
def _beside(work: Callable[[], None]) -> Iterator[None]:
    """Has `work` done by a thread meanwhile. It must not raise."""
    import threading  # few values are big enough

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def plain(data: bytes | bytearray | memoryview | PickleBuffer) -> bytes | bytearray | memoryview:
    """What a pickler writes, as something that has a length: a big array's buffer comes as it is."""
    return data.raw() if isinstance(data, PickleBuffer) else data


class Content:
    """A file-like target for a pickler. Use as a context; then `inline` it or `store` it."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._hash = sha256()
        self._head: list[bytes] = []
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self.size = 0

    def __enter__(self) -> Content:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(
            OSError
        ):  # what a full disk doesn't take was told when it was written, or nobody wants it
            if self._file:
                self._file.close()
        with suppress(OSError):  # a folder that has become read-only keeps it
            if self._path:
                self._path.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes | bytearray | memoryview | PickleBuffer) -> int:
        """Takes any buffer, a big array's own too, as a pickler hands it on. Big ones go straight to the file, without
        a copy."""
        data = plain(data)
        length = data.nbytes if isinstance(data, memoryview) else len(data)
        self.size += length
        if length >= APART:
            with _beside(lambda: self._hash.update(data)):
                self._into_file(data)
            return length
        self._hash.update(data)
        if self._file is None and self.size <= MEMORY_LIMIT:
            self._head.append(bytes(data))
        else:
            self._into_file(data)
        return length

    def _into_file(self, data: bytes | bytearray | memoryview) -> None:
        with self._explained():
            self._append(data)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise explain(error, str(self._objects.scratch), "A value can't be written to {}") from error

    def _append(self, data: bytes | bytearray | memoryview) -> None:
        if self._file is None:
            self._path = self._objects.scratch / f"{os.getpid()}-{os.urandom(6).hex()}"
            self._file = open(self._path, "xb")  # noqa: SIM115 (closed in __exit__)
            self._file.write(b"".join(self._head))
            self._head.clear()
        self._file.write(data)

    def bytes(self) -> bytes | None:
        """All of it, where it is still in memory."""
        return None if self._file else b"".join(self._head)

    def store(self, flow: str) -> None:
        """Put it into its blob, unless a fresh one is there. Raises StoreError."""
        key = layout.blob(flow, self.sha256)
        if self._file is not None:
            with self._explained():
                self._file.close()
            if sweeps.is_fresh(self._objects, key, self.size):
                return
        sweeps.put_for_good(self._objects, flow, key, lambda: self._put(key))

    def _put(self, key: str) -> None:
        if self._path is None:
            self._objects.put(key, b"".join(self._head))
            return
        kept = self._path.with_name(f"{self._path.name}.kept")
        try:
            os.link(self._path, kept)
        except OSError:  # this folder has no links; the store's own may be elsewhere
            self._objects.put_file(key, self._path, self.sha256)
            return
        try:
            self._objects.move_file(key, self._path, self.sha256)
        except BaseException:
            kept.unlink(missing_ok=True)
            raise
        os.replace(kept, self._path)  # the content stays here, in case gc takes the blob
