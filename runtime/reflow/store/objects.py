"""The one interface to a store's objects; backends: `folder`, `s3_slim` (a task's process), `s3_minio`
(long lived).

Keys are relative to the store's root, `/` between parts, made of `A-Z a-z 0-9 - _ . /` only. Every method
may raise StoreUnreachable (try later) or StoreRefused (final). Safe to use from several threads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from reflow.values.dataclass import dataclass
from reflow.values.errors import NotFound


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """`modified`: seconds since the epoch, by the store's own clock."""

    key: str
    size: int
    modified: float


_KEY = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")


def checked(key: str) -> str:
    """The key itself, where it is one that every backend can keep. Raises NotFound: nothing can be under
    another.
    """
    if not _KEY.fullmatch(key) or "/.." in key or key.startswith(".") or "/./" in key:
        raise NotFound(f"{key!r} can't be the name of anything in a store.")
    return key


class ObjectStore(Protocol):
    """Objects by key. Writes are atomic: a reader sees the whole object or none."""

    @property
    def url(self) -> str:
        """The address that opens this store again: an absolute folder, or
        `s3://bucket/prefix?endpoint=…`. No secrets.
        """

    @property
    def parallel(self) -> int:
        """How many requests at once pay off: 1 for a folder, more where each waits for a network."""

    @property
    def scratch(self) -> Path:
        """An existing folder in which to write a file that `move_file` will take."""

    def get(self, key: str) -> bytes:
        """The whole object. Raises NotFound."""

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`, fewer at the object's end. Raises NotFound."""

    def get_into(self, key: str, target: BinaryIO) -> None:
        """Stream the object into `target`, never holding it whole. Raises NotFound."""

    def open(self, key: str) -> BinaryIO:
        """The whole object as a file to read and seek, never held whole in memory where it's big. Raises
        NotFound.
        """

    def put(self, key: str, data: bytes) -> None:
        """Write or overwrite."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write if no object has this key; False, and nothing written, where one has. Of many at once one
        gets True.

        A lost answer is tried again, so False may mean that this very call wrote it: callers put a nonce
        in `data`.
        """

    def put_file(self, key: str, path: Path, sha256: str) -> None:
        """Write or overwrite from a file, streaming. `sha256`: the content's, in hex, which the backend
        may rely on.
        """

    def move_file(self, key: str, path: Path, sha256: str) -> None:
        """As `put_file`, for a file made in `scratch`, which is gone afterwards."""

    def stat(self, key: str) -> ObjectInfo | None:
        """The object's size and age, None where there's none."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """The objects whose keys start with `prefix`, in the order of their keys' bytes, those after
        `after`.
        """

    def list_folders(self, prefix: str) -> Iterator[str]:
        """The names right below `prefix` (which ends in `/`) that have objects below them, sorted."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete what's there; a key with no object is no error."""

    def now(self) -> float:
        """The store's own clock, seconds since the epoch."""

    def check(self) -> None:
        """Prove that the store can be used: reachable, key accepted, put-if-absent honoured. Raises
        StoreError.

        Writes nothing where it refuses, and leaves nothing behind.
        """
