"""`S3`: objects of any bucket, or beside a run's own data in its store, read and written from steps and notebooks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from types import TracebackType
from typing import Any

from reflow.store.objects import ObjectInfo, ObjectStore
from reflow.values.dataclass import dataclass
from reflow.values.errors import NotFound, UsageError

FOLDER = "s3"  # below a flow's part of a store: what S3(run=…) keeps
AT_ONCE = 16  # requests


@dataclass(frozen=True, slots=True)
class S3Object:
    """One object. `path`: a local copy, gone with the S3 it came from; None where it wasn't fetched or isn't there.
    `size`: bytes."""

    url: str
    key: str
    exists: bool = True
    path: str | None = None
    size: int | None = None
    last_modified: float | None = None

    @property
    def downloaded(self) -> bool:
        """Whether there's a local copy."""
        return self.path is not None

    @property
    def blob(self) -> bytes | None:
        """The content."""
        if self.path is None:
            return None
        with open(self.path, "rb") as file:
            return file.read()

    @property
    def text(self) -> str | None:
        """The content as text in UTF-8."""
        data = self.blob
        return None if data is None else data.decode()


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
    ) -> None:
        import tempfile

        self._folder = tempfile.TemporaryDirectory(prefix="reflow-s3-", dir=tmproot)
        self._numbers = count()  # its next is taken by one thread alone
        self._place: tuple[ObjectStore, str] | None = None
        if run is not None:
            store, run_id = _of_run(run)
            below = "/".join(part for part in (store.flow, FOLDER, run_id, (prefix or "").strip("/")) if part)
            self._place = (store.objects, f"{below}/")
        elif bucket or s3root:
            root = s3root or f"s3://{bucket}/{prefix or ''}"
            self._place = (_bucket(root), "")

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

    def get(self, key: str, return_missing: bool = False) -> S3Object:
        """Fetch one object. Raises NotFound."""
        store, name, url = self._at(key)
        path = os.path.join(self._folder.name, str(next(self._numbers)))
        try:
            with open(path, "wb") as file:
                store.get_into(name, file)
        except NotFound:
            os.unlink(path)
            if return_missing:
                return S3Object(url, key, exists=False)
            raise NotFound(f"There is no {url}.") from None
        return S3Object(url, key, path=path, size=os.path.getsize(path))

    def get_many(self, keys: Iterable[str], return_missing: bool = False) -> list[S3Object]:
        """Fetch many, several at once, in the order of `keys`. Raises NotFound."""
        return _each(lambda key: self.get(key, return_missing), keys)

    def get_recursive(self, keys: Iterable[str]) -> list[S3Object]:
        """Fetch all objects below these prefixes."""
        return self.get_many(found.key for found in self.list_recursive(keys))

    def get_all(self) -> list[S3Object]:
        """Fetch all objects below the root."""
        return self.get_recursive([""])

    def info(self, key: str, return_missing: bool = False) -> S3Object:
        """Size and age of one object, without its content. Raises NotFound."""
        store, name, url = self._at(key)
        found = store.stat(name)
        if found is None and not return_missing:
            raise NotFound(f"There is no {url}.")
        return _described(url, key, found)

    def info_many(self, keys: Iterable[str], return_missing: bool = False) -> list[S3Object]:
        """As `info`, several at once, in the order of `keys`."""
        return _each(lambda key: self.info(key, return_missing), keys)

    def list_paths(self, keys: Iterable[str] | None = None) -> list[S3Object]:
        """What is right below these prefixes: objects, and folders, which have `exists` False."""
        found: dict[str, S3Object] = {}
        for key in keys if keys is not None else [""]:
            below = f"{key.rstrip('/')}/" if key else ""
            for one in self._below(below):
                rest, slash, _ = one.key[len(below) :].partition("/")
                name = below + rest
                found.setdefault(name, S3Object(self._at(name)[2], name, exists=False) if slash else one)
        return list(found.values())

    def list_recursive(self, keys: Iterable[str] | None = None) -> list[S3Object]:
        """All objects below these prefixes, whatever their depth."""
        return [one for key in (keys if keys is not None else [""]) for one in self._below(key)]

    def _below(self, prefix: str) -> Iterator[S3Object]:
        store, name, url = self._at(prefix)
        for info in store.list(name):
            rest = info.key[len(name) :]
            yield _described(url + rest, prefix + rest, info)

    # Writing

    def put(self, key: str, obj: str | bytes, overwrite: bool = True) -> str:
        """Write text or bytes; the object's address. One that is there stays where `overwrite` is False."""
        store, name, url = self._at(key)
        data = obj.encode() if isinstance(obj, str) else bytes(obj)
        if overwrite:
            store.put(name, data)
        else:
            store.put_if_absent(name, data)
        return url

    def put_many(
        self, key_objs: Iterable[tuple[str, str | bytes]], overwrite: bool = True
    ) -> list[tuple[str, str]]:
        """Write many, several at once; their keys and addresses."""
        return _each(lambda pair: (pair[0], self.put(pair[0], pair[1], overwrite)), key_objs)

    def put_files(
        self, key_paths: Iterable[tuple[str, str]], overwrite: bool = True
    ) -> list[tuple[str, str]]:
        """Write files, streamed; their keys and addresses."""
        return _each(lambda pair: (pair[0], self._put_file(pair[0], pair[1], overwrite)), key_paths)

    def _put_file(self, key: str, path: str, overwrite: bool) -> str:
        from hashlib import file_digest
        from pathlib import Path

        store, name, url = self._at(key)
        if overwrite or store.stat(name) is None:
            with open(path, "rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
            store.put_file(name, Path(path), digest)
        return url

    def _at(self, key: str) -> tuple[ObjectStore, str, str]:
        """The store, the name there, and the address, of a key. Raises UsageError."""
        if self._place is None:
            if not key.startswith("s3://"):
                raise UsageError(
                    f"S3() without a root takes whole addresses such as s3://bucket/key, not {key!r}."
                )
            bucket, _, name = key[len("s3://") :].partition("/")
            return _bucket(f"s3://{bucket}"), name, key
        if key.startswith(("s3://", "/")):
            raise UsageError(f"S3 with a root takes keys below it, not {key!r}.")
        store, below = self._place
        return store, below + key, f"{store.url.partition('?')[0].rstrip('/')}/{below}{key}"


def _of_run(run: Any) -> tuple[Any, str]:
    """The flow's store and the run's id, of a running step's `self` or the Client's Run."""
    state = getattr(run, "_reflow", None)
    if state is not None and hasattr(state, "records"):
        return state.records.store, state.records.run
    if hasattr(run, "_store") and hasattr(run, "id"):
        return run._store, run.id
    raise UsageError("S3(run=…) takes the flow (self) in a running step, or a Run of the Client.")


def _bucket(url: str) -> ObjectStore:
    from reflow.store.s3_slim import SlimS3
    from reflow.store.s3_url import S3Address

    class AnyKeys(SlimS3):
        """A bucket of others: its keys may have any characters."""

        def _name(self, key: str) -> str:
            return self._prefix + key

    return AnyKeys(S3Address.parse(url, os.environ))


def _described(url: str, key: str, info: ObjectInfo | None) -> S3Object:
    if info is None:
        return S3Object(url, key, exists=False)
    return S3Object(url, key, size=info.size, last_modified=info.modified)


def _each(call: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    from reflow.store.parallel import each

    return list(each(call, list(items), at_once=AT_ONCE))
