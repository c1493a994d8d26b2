"""Where the S3 class keeps objects: a bucket, or beside a run's data in a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Protocol

from reflow.sdk.s3_objects import (
    Facts,
    MetaflowS3AccessDenied,
    MetaflowS3InvalidRange,
    MetaflowS3NotFound,
    RangeInfo,
    S3GetObject,
    S3PutObject,
)
from reflow.store import s3_multipart
from reflow.store.objects import ObjectStore
from reflow.store.s3_slim import SlimS3
from reflow.store.s3_url import S3Address
from reflow.store.s3_wire import Answer, FileBody, Request, Wire
from reflow.values.errors import NotFound

PLAIN = "binary/octet-stream"  # the content type where none was given, as S3 says
_USER = "x-amz-meta-metaflow-user-attributes"  # Metaflow's name: either reads what the other wrote


class Place(Protocol):
    """Objects by their names, which may have any characters."""

    def facts(self, name: str) -> Facts:
        """Raises MetaflowS3NotFound, MetaflowS3AccessDenied."""

    def fetch(self, name: str, part: S3GetObject, target: BinaryIO) -> Facts:
        """Write the object, or a part of it, into `target`. Raises MetaflowS3NotFound, …AccessDenied, …InvalidRange."""

    def put(self, name: str, file: BinaryIO, size: int, told: S3PutObject) -> None:
        """Write what a file holds, with what `told` says of it."""

    def list(self, prefix: str) -> Iterator[tuple[str, Facts]]:
        """The objects whose names begin so, in their order."""

    def level(self, prefix: str) -> Iterator[tuple[str, Facts | None]]:
        """As `list`, to the next `/`: what is below that is one entry, without facts, that ends in `/`."""


class Bucket(SlimS3):
    """A bucket of anybody's: its keys may have any characters."""

    def __init__(self, address: S3Address) -> None:
        super().__init__(address)
        self._wire: Wire = _SigningWire(address, self._wire._credentials)

    def _name(self, key: str) -> str:
        return self._prefix + key

    def facts(self, name: str) -> Facts:
        """See Place."""
        return _facts(self._checked(self._wire.send(Request("HEAD", name)), name), None)

    def fetch(self, name: str, part: S3GetObject, target: BinaryIO) -> Facts:
        """See Place."""
        span = _span(part)
        if span is None:
            answer = self._checked(self._wire.stream(Request("GET", name), target), name)
            return _facts(answer, RangeInfo(target.tell(), 0, target.tell()))
        answer = self._checked(self._wire.send(Request("GET", name, headers={"range": span})), name)
        target.write(answer.body)
        where, _, total = answer.headers["content-range"].removeprefix("bytes ").partition("/")
        first, _, last = where.partition("-")
        return _facts(answer, RangeInfo(int(total), int(first), int(last) - int(first) + 1))

    def put(self, name: str, file: BinaryIO, size: int, told: S3PutObject) -> None:  # type: ignore[override]
        """See Place."""
        headers = {"content-type": told.content_type} if told.content_type else {}
        if told.metadata:
            headers[_USER] = json.dumps(told.metadata)
        if told.encryption:
            headers["x-amz-server-side-encryption"] = told.encryption
        if size > s3_multipart.SINGLE_LIMIT:
            s3_multipart.upload(
                lambda request: self._checked(self._wire.send(request), name), name, file, size, headers
            )
            return
        body = FileBody(file, 0, size, _digest(file))
        self._checked(self._wire.send(Request("PUT", name, headers=headers, body=body)), name)

    def list(self, prefix: str) -> Iterator[tuple[str, Facts]]:  # type: ignore[override]
        """See Place."""
        for info in super().list(prefix):
            yield info.key, Facts(info.size, info.modified)

    def level(self, prefix: str) -> Iterator[tuple[str, Facts | None]]:
        """See Place."""
        for page in self._pages({"prefix": prefix, "delimiter": "/"}):
            found: dict[str, Facts | None] = dict.fromkeys(page.folders)
            found.update({info.key: Facts(info.size, info.modified) for info in page.objects})
            yield from sorted(found.items(), key=lambda one: one[0])

    def _checked(self, answer: Answer, name: str) -> Answer:
        what = f"s3://{self.address.bucket}/{name}"
        if answer.status == 404 and b"NoSuchBucket" not in answer.body:
            raise MetaflowS3NotFound(f"There is no {what}.")
        if answer.status in (401, 403, 404):
            raise MetaflowS3AccessDenied(
                f"The server doesn't give access to {what}. Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
                " and that the bucket is there."
            )
        if answer.status == 416:
            raise MetaflowS3InvalidRange(f"{what} has no such part.")
        return self._good(answer, what)


class _SigningWire(Wire):
    """Signs what an object is to have besides its content, too."""

    def _signed_too(self, request: Request) -> dict[str, str]:
        return {name: value for name, value in request.headers.items() if name.startswith("x-amz-")}


class Beside:
    """A folder, or another store that is no bucket. What is told of an object is kept in a second one."""

    def __init__(self, store: ObjectStore, folder: str) -> None:
        """`folder`: the beginning of all names in the store. Names here begin with `url` instead."""
        self._store = store
        self._folder = folder
        self.url = f"{store.url.rstrip('/')}/{folder}"

    def _kept(self, name: str) -> str:
        return self._folder + _kept(name[len(self.url) :])

    def _named(self, kept: str) -> str:
        return self.url + _named(kept[len(self._folder) :])

    def _kept_told(self, name: str) -> str:
        return self._kept(name) + _TOLD

    def facts(self, name: str) -> Facts:
        """See Place."""
        info = self._store.stat(self._kept(name))
        if info is None:
            raise MetaflowS3NotFound(f"There is no {name}.")
        told = self._told(name)
        return Facts(info.size, info.modified, told.get("content_type") or PLAIN, told.get("metadata"))

    def fetch(self, name: str, part: S3GetObject, target: BinaryIO) -> Facts:
        """See Place."""
        facts = self.facts(name)
        if _span(part) is None:
            self._store.get_into(self._kept(name), target)
            return facts._replace(range=RangeInfo(facts.size, 0, facts.size))
        start, length = part.offset or 0, part.length
        if length is not None and length < 0:
            start, length = max(0, facts.size + length), None
        if start >= facts.size:
            raise MetaflowS3InvalidRange(f"{name} has no such part: it has {facts.size} bytes.")
        data = self._store.get_range(
            self._kept(name), start, facts.size - start if length is None else length
        )
        target.write(data)
        return facts._replace(range=RangeInfo(facts.size, start, len(data)))

    def put(self, name: str, file: BinaryIO, size: int, told: S3PutObject) -> None:
        """See Place."""
        import shutil
        import tempfile
        from pathlib import Path

        with tempfile.NamedTemporaryFile(dir=self._store.scratch, delete=False) as made:
            shutil.copyfileobj(file, made)
        about = {"content_type": told.content_type, "metadata": told.metadata}
        if any(about.values()):
            self._store.put(self._kept_told(name), json.dumps(about).encode())
        elif self._store.stat(self._kept_told(name)):
            self._store.delete([self._kept_told(name)])
        self._store.move_file(self._kept(name), Path(made.name), _digest(file))

    def list(self, prefix: str) -> Iterator[tuple[str, Facts]]:
        """See Place."""
        found = self._store.list(self._kept(prefix))
        names = ((self._named(info.key), info) for info in found if not info.key.endswith(_TOLD))
        for name, info in sorted(names, key=lambda one: one[0]):
            yield name, Facts(info.size, info.modified)

    def level(self, prefix: str) -> Iterator[tuple[str, Facts | None]]:
        """See Place."""
        found: dict[str, Facts | None] = {}
        for name, facts in self.list(prefix):
            rest, slash, _ = name[len(prefix) :].partition("/")
            found.setdefault(prefix + rest + slash, None if slash else facts)
        yield from found.items()

    def _told(self, name: str) -> Mapping[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._store.get(self._kept_told(name)))
        except (NotFound, ValueError):
            return {}
        return found


_TOLD = "_-told"  # the end of a second object's name: no first one's has it, since "_" is written otherwise


def _kept(name: str) -> str:
    """A name as every store can keep it: characters besides letters, digits, - and inner dots as `_` and hex digits."""
    return "/".join(_kept_part(part) for part in name.split("/"))


def _kept_part(part: str) -> str:
    found = []
    for place, char in enumerate(part):
        is_plain = char.isascii() and (char.isalnum() or char == "-" or (char == "." and place))
        found.append(char if is_plain else "".join(f"_{byte:02x}" for byte in char.encode()))
    return "".join(found)


def _named(kept: str) -> str:
    """The name that is kept so."""
    from urllib.parse import unquote

    return unquote(kept.replace("_", "%"))


def _span(part: S3GetObject) -> str | None:
    """As the header Range has it; None for the whole."""
    if part.offset is None and part.length is None:
        return None
    start = part.offset or 0
    if part.length is None:
        return f"bytes={start}-"
    return f"bytes={part.length}" if part.length < 0 else f"bytes={start}-{start + part.length - 1}"


def _facts(answer: Answer, span: RangeInfo | None) -> Facts:
    from email.utils import parsedate_to_datetime

    headers = answer.headers
    told = headers.get(_USER)
    return Facts(
        int(headers.get("content-length", 0)),
        parsedate_to_datetime(headers["last-modified"]).timestamp(),
        headers.get("content-type"),
        json.loads(told) if told else None,
        headers.get("x-amz-server-side-encryption"),
        span,
    )


def _digest(file: BinaryIO) -> str:
    from hashlib import file_digest

    file.seek(0)
    found = file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    file.seek(0)
    return found


def size_of(file: BinaryIO) -> int:
    """Bytes. The file is at its beginning then."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size
