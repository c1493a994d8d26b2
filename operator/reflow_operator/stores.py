"""The stores that namespaces run against: opened by each namespace's Secret, used in a few threads.

Store clients are synchronous; the event loop must never wait for one. A store is checked once for each
content of its Secret, before any run uses it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar
from urllib.parse import urlsplit

from reflow.manifests.types import ConditionType
from reflow.store.flowstore import FlowStore
from reflow.store.objects import ObjectStore
from reflow.store.s3_url import Credentials, S3Address
from reflow.values.errors import StoreError, StoreRefused, StoreUnreachable
from reflow_operator.constants import SECRET_NAME, Reason
from reflow_operator.held import Held
from reflow_operator.kube import errors, paths
from reflow_operator.kube.client import Cluster

P = ParamSpec("P")
T = TypeVar("T")
SECRET_SECONDS = 60.0
SOON, SLOWLY = 5.0, 60.0
REQUIRED = ("bucket",)


class Stores(Protocol):
    """Where runs are kept."""

    async def flow(self, namespace: str, flow: str) -> FlowStore:
        """The flow's part of the namespace's store. Raises Held."""

    async def objects(self, namespace: str) -> ObjectStore:
        """The namespace's store. Raises Held."""

    def forget(self, namespace: str) -> None:
        """Something is wrong with the namespace's store: read its Secret anew the next time."""

    async def call(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Do something with a store in a thread. Raises Held where the store can't be used."""


@dataclass(slots=True)
class _Opened:
    version: str
    read_at: float
    objects: ObjectStore
    flows: dict[str, FlowStore] = field(default_factory=dict)


def open_s3(address: S3Address) -> ObjectStore:
    """The client for a process that lives long."""
    from reflow.store.s3_minio import MinioS3

    return MinioS3(address)


class SecretStores:
    """`Stores` by the Secret `reflow-store` of each namespace."""

    def __init__(
        self,
        cluster: Cluster,
        threads: int,
        open_address: Callable[[S3Address], ObjectStore] = open_s3,
    ) -> None:
        self._cluster = cluster
        self._open_address = open_address
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self._opened: dict[str, _Opened] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def flow(self, namespace: str, flow: str) -> FlowStore:
        """See `Stores`."""
        opened = await self._open(namespace)
        if flow not in opened.flows:
            opened.flows[flow] = FlowStore(opened.objects, flow)
        return opened.flows[flow]

    async def objects(self, namespace: str) -> ObjectStore:
        """See `Stores`."""
        return (await self._open(namespace)).objects

    def forget(self, namespace: str) -> None:
        """See `Stores`."""
        opened = self._opened.get(namespace)
        if opened is not None:
            opened.read_at = -SECRET_SECONDS

    async def call(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """See `Stores`."""
        return await in_thread(self._pool, work, *arguments, **named)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _open(self, namespace: str) -> _Opened:
        async with self._locks.setdefault(namespace, asyncio.Lock()):
            now = asyncio.get_running_loop().time()
            opened = self._opened.get(namespace)
            if opened and now - opened.read_at < SECRET_SECONDS:
                return opened
            secret = await self._secret(namespace)
            version = str(secret["metadata"].get("resourceVersion", ""))
            if opened and opened.version == version:
                opened.read_at = now
                return opened
            address = address_of(secret, namespace)
            objects = self._open_address(address)
            await self.call(objects.check)
            opened = self._opened[namespace] = _Opened(version, now, objects)
            return opened

    async def _secret(self, namespace: str) -> Mapping[str, Any]:
        try:
            return await self._cluster.get(paths.secret(namespace, SECRET_NAME))
        except (errors.NotFound, errors.Forbidden) as error:
            raise Held(
                ConditionType.STORE_READY,
                Reason.STORE_MISSING,
                f"Namespace {namespace} has no Secret {SECRET_NAME} that the operator may read, so there is"
                f" no store to run against: {error.message}. Create it with endpoint, bucket, accessKey and"
                " secretKey.",
                after=SOON,
            ) from error


async def in_thread(
    pool: ThreadPoolExecutor, work: Callable[P, T], *arguments: P.args, **named: P.kwargs
) -> T:
    """`work` in a thread of `pool`; a store's refusal becomes Held."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(pool, lambda: work(*arguments, **named))
    except StoreUnreachable as error:
        raise _held(Reason.STORE_UNAVAILABLE, error, SOON) from error
    except StoreRefused as error:
        raise _held(Reason.STORE_REFUSED, error, SLOWLY) from error
    except StoreError as error:
        raise _held(Reason.STORE_UNSUITABLE, error, SLOWLY) from error


def address_of(secret: Mapping[str, Any], namespace: str) -> S3Address:
    """Where the store is, by a namespace's Secret. Raises Held where it doesn't say."""
    values = {name: _decoded(value) for name, value in (secret.get("data") or {}).items()}
    missing = [name for name in REQUIRED if not values.get(name)]
    endpoint = values.get("endpoint") or None
    if missing or (endpoint and urlsplit(endpoint).scheme not in ("http", "https")):
        wrong = (
            f"lacks {', '.join(missing)}"
            if missing
            else f"has the endpoint {endpoint!r}, which is no http address"
        )
        raise Held(
            ConditionType.STORE_READY,
            Reason.STORE_UNSUITABLE,
            f"The Secret {SECRET_NAME} of namespace {namespace} {wrong}.",
            after=SLOWLY,
        )
    access, secret_key = values.get("accessKey"), values.get("secretKey")
    return S3Address(
        bucket=values["bucket"],
        prefix="/".join(part for part in (values.get("prefix", "").strip("/"), namespace) if part),
        endpoint=endpoint,
        region=values.get("region") or "us-east-1",
        credentials=Credentials(access, secret_key) if access and secret_key else None,
    )


def _decoded(value: Any) -> str:
    try:
        return base64.b64decode(str(value), validate=True).decode().strip()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _held(reason: str, error: Exception, after: float) -> Held:
    return Held(ConditionType.STORE_READY, reason, str(error), after=after)
