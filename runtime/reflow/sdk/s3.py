"""`S3`: objects of any bucket, or beside a run's own data in its store, read and written from steps and notebooks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from io import BufferedIOBase, BytesIO, RawIOBase
from itertools import count
from types import TracebackType
from typing import Any, BinaryIO

from reflow.sdk.s3_objects import (
    Facts,
    MetaflowS3AccessDenied,
    MetaflowS3Exception,
    MetaflowS3InvalidObject,
    MetaflowS3InvalidRange,
    MetaflowS3NotFound,
    MetaflowS3URLException,
    PutValue,
    RangeInfo,
    S3GetObject,
    S3Object,
    S3PutObject,
)
from reflow.sdk.s3_places import Beside, Bucket, Place, size_of
from reflow.store.s3_url import S3Address
from reflow.values.dataclass import replace
from reflow.values.errors import UsageError

FOLDER = "s3"  # below a flow's part of a store: what S3(run=…) keeps
AT_ONCE = 16  # requests

Key = str | S3GetObject


class S3:
    """`with S3(s3root='s3://bucket/prefix') as s3:`, `S3(run=self)` in a step, `S3(bucket=…, prefix=…)`, or `S3()` with
    whole addresses for keys. Keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the server from AWS_ENDPOINT_URL.
    """

    def __init__(
        self,
        tmproot: str | None = None,
        bucket: str | None = None,
        prefix: str | None = None,
        run: Any = None,
        s3root: str | None = None,
        encryption: str | None = None,
        **metaflows: Any,
    ) -> None:
        """`run`: its objects are in the run's store, or below `bucket` and `prefix`. `encryption`: by the server, such
        as `AES256`. What else Metaflow takes (`role`, `client_params`, …) is taken and changes nothing.
        """
        import tempfile

        self._buckets: dict[str, Bucket] = {}
        self._place: Place | None = None  # the only one, where that is no bucket
        self._query = ""  # of the addresses: the server
        self._encryption = encryption
        self._root = self._found_root(bucket, prefix, run, s3root)
        self._folder = tempfile.TemporaryDirectory(prefix="reflow-s3-", dir=tmproot)
        self._numbers = count()  # its next is taken by one thread alone

    def _found_root(self, bucket: str | None, prefix: str | None, run: Any, s3root: str | None) -> str | None:
        below = (prefix or "").strip("/")
        if run is not None:
            store, run_id = _of_run(run)
            if bucket:
                return "/".join(part for part in (f"s3://{bucket}", below, store.flow, run_id) if part)
            parts = [store.flow, FOLDER, run_id, *([below] if below else [])]
            address: S3Address | None = getattr(store.objects, "address", None)
            if address is None:
                place = Beside(store.objects, f"{store.flow}/{FOLDER}/{run_id}")
                self._place = place
                return "/".join(part for part in (place.url, below) if part)
            self._buckets[address.bucket] = Bucket(replace(address, prefix=""))
            return "/".join(
                part for part in (f"s3://{address.bucket}", address.prefix.strip("/"), *parts) if part
            )
        if s3root is None and bucket is None:
            return None
        root = s3root if s3root is not None else f"s3://{bucket}/{below}"
        if not root.startswith("s3://"):
            raise MetaflowS3URLException(
                f"S3(s3root={root!r}): this is an address such as s3://bucket/prefix."
            )
        root, mark, query = root.partition("?")
        if mark and query.partition("=")[0] not in ("endpoint", "region"):
            root, query = f"{root}?{query}", ""
        self._query = query
        return root.rstrip("/")

    def __enter__(self) -> S3:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the local copies."""
        self._folder.cleanup()

    # Reading

    def get(self, key: Key | None = None, return_missing: bool = False, return_info: bool = True) -> S3Object:
        """Fetch one object, or with an S3GetObject a part of one; without a key, the root itself.

        `return_missing`: what isn't there has `exists` False; else MetaflowS3NotFound is raised.
        """
        url = self._url(key)
        part = key if isinstance(key, S3GetObject) else S3GetObject(url)
        path = os.path.join(self._folder.name, str(next(self._numbers)))
        place, name = self._at(url)
        try:
            with open(path, "wb") as file:
                facts = place.fetch(name, part, file)
        except BaseException as error:
            os.unlink(path)
            if isinstance(error, MetaflowS3NotFound) and return_missing:
                return S3Object(self._root, url)
            raise
        return S3Object(self._root, url, path, facts, info=return_info)

    def get_many(
        self, keys: Iterable[Key], return_missing: bool = False, return_info: bool = True
    ) -> list[S3Object]:
        """As `get`, several at once, in the order of `keys`."""
        return _each(lambda key: self.get(key, return_missing, return_info), keys)

    def get_recursive(self, keys: Iterable[str | None], return_info: bool = False) -> list[S3Object]:
        """Fetch all objects whose names begin so: in the order of `keys`, and for each in that of the names."""

        def fetch(one: tuple[str, str]) -> S3Object:
            prefix, url = one
            path = os.path.join(self._folder.name, str(next(self._numbers)))
            place, name = self._at(url)
            with open(path, "wb") as file:
                facts = place.fetch(name, S3GetObject(url), file)
            return S3Object(self._root if return_info else prefix, url, path, facts, info=return_info)

        return _each(fetch, [(prefix, url) for prefix, url, _ in self._below(keys)])

    def get_all(self, return_info: bool = False) -> list[S3Object]:
        """Fetch all objects below the root."""
        if self._root is None:
            raise MetaflowS3URLException("S3() without a root has no `get_all`: give it s3root= or run=.")
        return self.get_recursive([None], return_info)

    def info(self, key: Key | None = None, return_missing: bool = False) -> S3Object:
        """Size, age, content type and metadata of one object, without its content."""
        url = self._url(key)
        place, name = self._at(url)
        try:
            return S3Object(self._root, url, facts=place.facts(name))
        except MetaflowS3NotFound:
            if return_missing:
                return S3Object(self._root, url)
            raise

    def info_many(self, keys: Iterable[Key], return_missing: bool = False) -> list[S3Object]:
        """As `info`, several at once, in the order of `keys`."""
        return _each(lambda key: self.info(key, return_missing), keys)

    def list_paths(self, keys: Iterable[str] | None = None) -> list[S3Object]:
        """What is right below these paths: objects, and folders, which have `exists` False."""
        found = []
        for key in keys if keys is not None else [None]:
            prefix = self._url(key).rstrip("/") + "/"
            place, name = self._at(prefix)
            for other, facts in place.level(name):
                found.append(S3Object(prefix, prefix + other[len(name) :], facts=facts, info=False))
        return found

    def list_recursive(self, keys: Iterable[str] | None = None) -> list[S3Object]:
        """All objects whose addresses begin so, whatever their depth."""
        below = self._below(keys if keys is not None else [None])
        return [S3Object(prefix, url, facts=facts, info=False) for prefix, url, facts in below]

    def _below(self, keys: Iterable[str | None]) -> Iterator[tuple[str, str, Facts]]:
        for key in keys:
            prefix = self._url(key)
            place, name = self._at(prefix)
            for other, facts in place.list(name):
                yield prefix, prefix + other[len(name) :], facts

    # Writing

    def put(
        self,
        key: str | S3PutObject,
        obj: PutValue | None = None,
        overwrite: bool = True,
        content_type: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> str:
        """Write text, bytes, or what an open file holds; the object's address. One that is there stays where
        `overwrite` is False. `metadata`: what can be kept as JSON.
        """
        told = _told(key, obj, content_type, metadata)
        with _opened(told.value) as file:
            return self._put(told, file, overwrite)[0]

    def put_many(
        self, key_objs: Iterable[tuple[str, PutValue] | S3PutObject], overwrite: bool = True
    ) -> list[tuple[str, str]]:
        """Write many, several at once; keys and addresses of those that were written."""
        wanted = [one if isinstance(one, S3PutObject) else S3PutObject(one[0], one[1]) for one in key_objs]
        files = [_opened(one.value) for one in wanted]
        return self._put_all(list(zip(wanted, files, strict=True)), overwrite)

    def put_files(
        self, key_paths: Iterable[tuple[str, str] | S3PutObject], overwrite: bool = True
    ) -> list[tuple[str, str]]:
        """Write files, streamed; keys and addresses of those that were written."""
        wanted = [
            one if isinstance(one, S3PutObject) else S3PutObject(one[0], path=one[1]) for one in key_paths
        ]
        paths = [one.path or one.value for one in wanted]
        missing = next((path for path in paths if not os.path.exists(path)), None)
        if missing is not None:
            raise MetaflowS3NotFound(f"There is no file {missing} to upload.")
        folder = next((path for path in paths if os.path.isdir(path)), None)
        if folder is not None:
            raise MetaflowS3InvalidObject(
                f"{folder} is a folder: put_files uploads files, each under its own key."
            )

        def write(one: tuple[S3PutObject, str]) -> tuple[str, str] | None:
            with open(one[1], "rb") as file:
                url, is_written = self._put(one[0], file, overwrite)
            return (one[0].key, url) if is_written else None

        for one in wanted:
            self._url(one.key)
        return [done for done in _each(write, zip(wanted, paths, strict=True)) if done]

    def _put_all(self, wanted: list[tuple[S3PutObject, BinaryIO]], overwrite: bool) -> list[tuple[str, str]]:
        for one, _ in wanted:
            self._url(one.key)

        def write(one: tuple[S3PutObject, BinaryIO]) -> tuple[str, str] | None:
            url, is_written = self._put(one[0], one[1], overwrite)
            return (one[0].key, url) if is_written else None

        return [done for done in _each(write, wanted) if done]

    def _put(self, told: S3PutObject, file: BinaryIO, overwrite: bool) -> tuple[str, bool]:
        url = self._url(told.key)
        place, name = self._at(url)
        if not overwrite:
            try:
                place.facts(name)
            except MetaflowS3NotFound:
                pass
            else:
                return url, False
        place.put(name, file, size_of(file), told._replace(encryption=told.encryption or self._encryption))
        return url, True

    # Addresses

    def _url(self, key: Key | None) -> str:
        """The whole address of a key. Raises MetaflowS3URLException."""
        text = key.key if isinstance(key, S3GetObject) else key
        if self._root is None:
            if not text or not text.startswith("s3://") or not text[len("s3://") :].partition("/")[2]:
                raise MetaflowS3URLException(
                    f"S3() without a root takes whole addresses such as s3://bucket/key, not {text!r}."
                    " In a step there is S3(run=self)."
                )
            return text
        if not text:
            return self._root
        if text.startswith("s3://"):
            raise MetaflowS3URLException(f"S3 with a root takes keys below it, not {text!r}.")
        return f"{self._root}/{text.lstrip('/')}"

    def _at(self, url: str) -> tuple[Place, str]:
        """Where an address leads to, and the name there."""
        if self._place is not None:
            return self._place, url
        bucket, _, name = url[len("s3://") :].partition("/")
        if bucket not in self._buckets:
            query = f"?{self._query}" if self._query else ""
            try:
                address = S3Address.parse(f"s3://{bucket}{query}", os.environ)
            except UsageError as error:
                raise MetaflowS3URLException(str(error)) from None
            self._buckets[bucket] = Bucket(address)
        return self._buckets[bucket], name


def _of_run(run: Any) -> tuple[Any, str]:
    """The flow's store and the run's id, of a running step's `self` or the Client's Run."""
    state = getattr(run, "_reflow", None)
    if state is not None and hasattr(state, "records"):
        return state.records.store, state.records.run
    if hasattr(run, "_store") and hasattr(run, "id"):
        return run._store, run.id
    raise MetaflowS3URLException("S3(run=…) takes the flow (self) in a running step, or a Run of the Client.")


def _told(
    key: str | S3PutObject, obj: PutValue | None, content_type: str | None, metadata: dict[str, Any] | None
) -> S3PutObject:
    given = key if isinstance(key, S3PutObject) else S3PutObject(key)
    return given._replace(
        value=given.value if obj is None else obj,
        content_type=content_type or given.content_type,
        metadata=metadata or given.metadata,
    )


def _opened(value: Any) -> BinaryIO:
    """What a value's bytes are read from. Raises MetaflowS3InvalidObject."""
    if isinstance(value, str):
        return BytesIO(value.encode())
    if isinstance(value, bytes | bytearray | memoryview):
        return BytesIO(value)
    if isinstance(value, RawIOBase | BufferedIOBase) and value.readable() and value.seekable():
        return _Lent(value)  # type: ignore[return-value]
    raise MetaflowS3InvalidObject(
        f"{type(value).__name__}: S3 writes text, bytes, and files that are open for reading in binary mode."
    )


class _Lent:
    """A file of the caller's, which stays open."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> _Lent:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _each(call: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    from reflow.store.parallel import each

    return list(each(call, list(items), at_once=AT_ONCE))


__all__ = [
    "S3",
    "MetaflowS3AccessDenied",
    "MetaflowS3Exception",
    "MetaflowS3InvalidObject",
    "MetaflowS3InvalidRange",
    "MetaflowS3NotFound",
    "MetaflowS3URLException",
    "RangeInfo",
    "S3GetObject",
    "S3Object",
    "S3PutObject",
]
