"""Bytes on their way into a blob: hashed as they come, in memory while they're few, in a file once
they're many.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from reflow.store import layout
from reflow.store.objects import ObjectStore
from reflow.values.errors import StoreUnreachable

MEMORY_LIMIT = 256 * 1024  # bytes; more goes to a file, and is asked for before it's written once more
FRESH = 3.5 * 24 * 3600  # seconds, half of gc's grace period: an older blob is written again


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
        if self._file:
            self._file.close()
        if self._path:
            self._path.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Takes any buffer. Big ones go straight to the file, without a copy."""
        length = data.nbytes if isinstance(data, memoryview) else len(data)
        self._hash.update(data)
        self.size += length
        if self._file is None and self.size <= MEMORY_LIMIT:
            self._head.append(bytes(data))
        else:
            self._into_file(data)
        return length

    def _into_file(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._append(data)
        except OSError as error:
            raise StoreUnreachable(
                f"A value can't be written to {self._objects.scratch}: {error.strerror or error}."
                " Free some space there and try again."
            ) from error

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
        """Put it into its blob, unless a fresh one is there."""
        key = layout.blob(flow, self.sha256)
        if self._file is None or self._path is None:
            self._objects.put(key, b"".join(self._head))
            return
        self._file.close()
        if not self._is_there(key):
            self._objects.move_file(key, self._path, self.sha256)

    def _is_there(self, key: str) -> bool:
        found = self._objects.stat(key)
        return bool(found and found.size == self.size and found.modified > self._objects.now() - FRESH)
