"""S3 by way of the `minio` library, for a process that lives long: the command line, the client, the
operator.
"""

from __future__ import annotations

import io
import os
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import certifi
import urllib3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.credentials.providers import IamAwsProvider, Provider, StaticProvider
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from reflow.store import s3_errors, s3_files
from reflow.store.objects import ObjectInfo, checked
from reflow.store.s3_check import check
from reflow.store.s3_url import S3Address
from reflow.values.errors import NotFound, StoreUnreachable

_CHUNK = 1 << 20
_PART = 16 << 20  # bytes; the library holds two of them in memory
_CONFLICTS = 50
CONNECTIONS = 64
# How a cluster announces an identity; without these, a machine of Amazon's may have one.
_ANNOUNCED = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


class MinioS3:
    """A store below a prefix of a bucket. Safe to use from several threads; not after a fork."""

    parallel = 16

    def __init__(self, address: S3Address) -> None:
        self.address = address
        self._bucket = address.bucket
        self._prefix = f"{address.prefix}/" if address.prefix else ""
        self._client = _client(address, tries=5)

    @property
    def url(self) -> str:
        return self.address.url

    @property
    def scratch(self) -> Path:
        return s3_files.scratch()

    # Reading

    def get(self, key: str) -> bytes:
        target = io.BytesIO()
        self.get_into(key, target)
        return target.getvalue()

    def get_range(self, key: str, start: int, length: int) -> bytes:
        if length <= 0:
            return b""
        target = io.BytesIO()
        try:
            self._stream(key, start, length, target)
        except _BeyondTheEnd:
            return b""
        return target.getvalue()

    def get_into(self, key: str, target: BinaryIO) -> None:
        self._stream(key, 0, 0, target)

    def _stream(self, key: str, start: int, length: int, target: BinaryIO) -> None:
        """A stream that breaks is asked for again from where it broke, as long as that brings more of it."""
        name, done, before = self._name(key), 0, -1
        while True:
            try:
                with self._explained(f"GET {key}"):
                    left = length - done if length else 0
                    answer = self._client.get_object(self._bucket, name, start + done, left)
                    try:
                        for chunk in answer.stream(_CHUNK):
                            target.write(chunk)
                            done += len(chunk)
                        return
                    finally:
                        answer.close()
                        answer.release_conn()
            except StoreUnreachable:
                if done == max(before, 0):
                    raise
                before = done

    def open(self, key: str) -> BinaryIO:
        return s3_files.open_object(self, key)

    def stat(self, key: str) -> ObjectInfo | None:
        try:
            with self._explained(f"HEAD {key}"):
                found = self._client.stat_object(self._bucket, self._name(key))
        except NotFound:
            return None
        return ObjectInfo(
            key, found.size or 0, found.last_modified.timestamp() if found.last_modified else 0.0
        )

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        start = self._prefix + after if after else None
        cut = len(self._prefix)
        with self._explained(f"LIST {prefix}"):
            for item in self._client.list_objects(
                self._bucket, self._prefix + prefix, recursive=True, start_after=start
            ):
                modified = item.last_modified.timestamp() if item.last_modified else 0.0
                yield ObjectInfo(str(item.object_name)[cut:], item.size or 0, modified)

    def list_folders(self, prefix: str) -> Iterator[str]:
        cut = len(self._prefix + prefix)
        with self._explained(f"LIST {prefix}"):
            folders = [
                str(item.object_name)[cut:-1]
                for item in self._client.list_objects(self._bucket, self._prefix + prefix)
                if item.is_dir
            ]
        yield from sorted(folders)

    # Writing

    def put(self, key: str, data: bytes) -> None:
        with self._explained(f"PUT {key}"):
            self._client._put_object(self._bucket, self._name(key), data)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        for number in range(_CONFLICTS):
            try:
                put_conditionally(self._client, self._bucket, self._name(key), data)
                return True
            except S3Error as error:
                if error.code == "PreconditionFailed":
                    return False
                if error.code != "ConditionalRequestConflict":
                    raise self._explain(error, f"PUT {key}") from error
            except (MinioException, HTTPError) as error:
                raise self._explain(error, f"PUT {key}") from error
            time.sleep(min(0.01 * 2**number, 0.5))  # two at once: the server lets neither win yet
        raise StoreUnreachable(f"The store {self.url} didn't settle who may write {key}. Try again later.")

    def put_file(self, key: str, path: Path, sha256: str) -> None:
        with self._explained(f"PUT {key}"):
            self._client.fput_object(
                self._bucket, self._name(key), str(path), part_size=_PART, num_parallel_uploads=1
            )

    def move_file(self, key: str, path: Path, sha256: str) -> None:
        self.put_file(key, path, sha256)
        path.unlink()

    def delete(self, keys: Iterable[str]) -> None:
        objects = (DeleteObject(self._name(key)) for key in keys)
        with self._explained("DELETE"):
            for error in self._client.remove_objects(self._bucket, objects):
                raise s3_errors.explain(self.address, 403, error.code or "", error.message or "", "DELETE")

    # The store itself

    def now(self) -> float:
        """By the server's clock, which tells whole seconds."""
        with self._explained("HEAD the bucket"):
            answer = self._client._execute("HEAD", self._bucket)
        return parsedate_to_datetime(answer.headers["date"]).timestamp()

    def check(self) -> None:
        with self._explained("LIST"):
            quick = _client(self.address, tries=2)
            next(quick.list_objects(self._bucket, self._prefix or None), None)
        check(self, self.address)

    def _name(self, key: str) -> str:
        return self._prefix + checked(key)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Any error of the library as one of Reflow's."""
        try:
            yield
        except (MinioException, HTTPError) as error:
            raise self._explain(error, what) from error

    def _explain(self, error: Exception, what: str) -> Exception:
        if isinstance(error, S3Error):
            if error.code == "InvalidRange":
                return _BeyondTheEnd(what)
            return s3_errors.explain(
                self.address, error.response.status, error.code or "", error.message or "", what
            )
        if isinstance(error, ServerError):
            return s3_errors.explain(self.address, error.status_code, "", str(error), what)
        if isinstance(error, InvalidResponseError):
            return s3_errors.explain(self.address, error._code, "", "no answer of an S3 server", what)
        return s3_errors.unreachable(self.address, _root(error))


def _root(error: BaseException) -> BaseException:
    """What was wrong in the first place, such as `Connection refused`: the library's own words wrap it many times."""
    reason = getattr(error, "reason", None)
    inner = reason if isinstance(reason, BaseException) else error.__cause__
    return _root(inner) if inner is not None and inner is not error else error


class _BeyondTheEnd(NotFound):
    """A range was asked for that starts at or past the object's end."""


def put_conditionally(client: Minio, bucket: str, name: str, data: bytes) -> None:
    """Put if absent, which the library has no public call for. Raises S3Error PreconditionFailed.

    Its `put_object` takes headers as metadata, and would overwrite: this is the one place that relies on
    its inside, and the contract tests would notice a change.
    """
    client._put_object(bucket, name, data, headers={"If-None-Match": "*"})


def _client(address: S3Address, *, tries: int) -> Minio:
    server = urlsplit(address.endpoint or "https://s3.amazonaws.com")
    retry = Retry(
        total=tries,
        backoff_factor=0.1,
        status_forcelist=sorted(s3_errors.RETRIED),
        allowed_methods=None,
        respect_retry_after_header=False,
    )
    pool = urllib3.PoolManager(
        timeout=Timeout(connect=5, read=60), maxsize=CONNECTIONS, retries=retry, ssl_context=_trust()
    )
    return Minio(
        server.netloc,
        secure=server.scheme == "https",
        region=address.region,
        http_client=pool,
        credentials=_provider(address),
    )


def _trust() -> ssl.SSLContext:
    """The machine's certificates or those of AWS_CA_BUNDLE, and the well-known ones for an image that has none."""
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    context.load_verify_locations(certifi.where())
    return context


def _provider(address: S3Address) -> Provider:
    if keys := address.credentials:
        return StaticProvider(keys.access_key, keys.secret_key, keys.token)
    return _Ambient(address)


class _Ambient(Provider):
    """The identity that a Pod or a machine was given, renewed before it expires."""

    def __init__(self, address: S3Address) -> None:
        self._address = address
        # Where there's no such thing its address leads nowhere, and waiting for an answer would be in vain.
        pool = urllib3.PoolManager(timeout=Timeout(connect=1, read=5), retries=Retry(total=1))
        self._provider = IamAwsProvider(http_client=pool)

    def retrieve(self) -> Credentials:
        ambient = any(os.environ.get(name) for name in _ANNOUNCED)
        if not ambient and os.environ.get("AWS_EC2_METADATA_DISABLED") == "true":
            raise s3_errors.no_keys(self._address)
        try:
            return self._provider.retrieve()
        except (ValueError, OSError, MinioException, HTTPError) as error:
            raise s3_errors.no_keys(self._address) from error
