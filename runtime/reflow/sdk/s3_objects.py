"""What the S3 class gives and takes: objects, parts of them, and its errors under Metaflow's names."""

from __future__ import annotations

import os
from io import BufferedIOBase, RawIOBase
from typing import Any, NamedTuple

from reflow.values.errors import NotFound, ReflowError, UsageError

PutValue = str | bytes | RawIOBase | BufferedIOBase


class MetaflowS3Exception(ReflowError):
    """The bucket can't be used."""

    headline = "S3 access failed"


class MetaflowS3URLException(UsageError):
    """An address or a key that can't be."""

    headline = "Invalid address"


class MetaflowS3NotFound(NotFound):
    """An object, or a local file to upload, that isn't there."""

    headline = "S3 object not found"


class MetaflowS3AccessDenied(ReflowError):
    """The server refused the keys, or has no such bucket for them."""

    headline = "S3 access denied"


class MetaflowS3InvalidObject(UsageError):
    """Neither text nor bytes nor a file."""

    headline = "Not a string-like object"


class MetaflowS3InvalidRange(UsageError):
    """A part that the object hasn't got."""

    headline = "S3 invalid range"


class RangeInfo(NamedTuple):
    """Which part of an object was fetched, in bytes."""

    total_size: int
    request_offset: int = 0
    request_length: int = -1


class S3GetObject(NamedTuple):
    """A part of an object, in bytes: from `offset`, `length` of them; a negative `length`: the last so many."""

    key: str
    offset: int | None = None
    length: int | None = None


class S3PutObject(NamedTuple):
    """An object to write: `value`, or for `put_files` the file `path`; `metadata`: what can be kept as JSON."""

    key: str
    value: Any = None
    path: str | None = None
    content_type: str | None = None
    encryption: str | None = None
    metadata: dict[str, Any] | None = None


class Facts(NamedTuple):
    """What a server says of an object. `size`, `total`: bytes; `modified`: seconds since the epoch."""

    size: int
    modified: float
    content_type: str | None = None
    metadata: dict[str, Any] | None = None
    encryption: str | None = None
    range: RangeInfo | None = None


class S3Object:
    """A path or an object, maybe with a local copy, which is gone with the S3 that it came from."""

    def __init__(
        self,
        prefix: str | None,
        url: str,
        path: str | None = None,
        facts: Facts | None = None,
        *,
        info: bool = True,
    ) -> None:
        """`facts`: None for what isn't there. `info`: whether content type, metadata and range are to be told."""
        self._url = url
        self._path = path
        self._facts = facts
        self._info = info and facts is not None
        self._prefix = None if prefix is None or prefix == url else prefix

    @property
    def url(self) -> str:
        """The whole address."""
        return self._url

    @property
    def prefix(self) -> str | None:
        """The part of the address before the key; None where the key is the whole address."""
        return self._prefix

    @property
    def key(self) -> str:
        """The part of the address after the prefix."""
        if self._prefix is None:
            return self._url
        return self._url[len(self._prefix.rstrip("/")) + 1 :].rstrip("/")

    @property
    def exists(self) -> bool:
        """Whether it is an object, and not just the beginning of others' names."""
        return self._facts is not None

    @property
    def downloaded(self) -> bool:
        """Whether there's a local copy."""
        return self._path is not None

    @property
    def path(self) -> str | None:
        """The local copy's path."""
        return self._path

    @property
    def blob(self) -> bytes | None:
        """The content, None where it wasn't fetched."""
        if self._path is None:
            return None
        with open(self._path, "rb") as file:
            return file.read()

    @property
    def text(self) -> str | None:
        """The content as text in UTF-8."""
        data = self.blob
        return None if data is None else data.decode("utf-8", "replace")

    @property
    def size(self) -> int | None:
        """Bytes: of the local copy where there is one; None for what isn't there."""
        if self._path is not None and os.path.exists(self._path):
            return os.path.getsize(self._path)
        return self._facts.size if self._facts else None

    @property
    def has_info(self) -> bool:
        """Whether `content_type`, `metadata`, `range_info`, `encryption` and `last_modified` were asked for."""
        return self._info

    @property
    def content_type(self) -> str | None:
        """The MIME type."""
        return self._facts.content_type if self._facts and self._info else None

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What was put with the object by `metadata=`."""
        return self._facts.metadata if self._facts and self._info else None

    @property
    def encryption(self) -> str | None:
        """How the server encrypts it."""
        return self._facts.encryption if self._facts and self._info else None

    @property
    def range_info(self) -> RangeInfo | None:
        """Which part was fetched; None where nothing was."""
        return self._facts.range if self._facts and self._info else None

    @property
    def last_modified(self) -> float | None:
        """Seconds since the epoch."""
        return self._facts.modified if self._facts else None

    def __repr__(self) -> str:
        if not self.exists:
            return f"<S3Object {self._url} (object does not exist)>"
        return f"<S3Object {self._url} ({self.size} bytes, {'local' if self.downloaded else 'in S3'})>"
