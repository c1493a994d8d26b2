"""Six verbs and a watch over aiohttp: raw JSON in and out, throttled, with typed errors.

kopf has a client too, but a private one; `kubernetes`' models cost milliseconds of CPU an object. One
client serves the whole process, in one event loop. Short refusals (429, a server that restarts) are waited
out here; what lasts longer is raised as Retryable, for the work queue's backoff.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, Self

import aiohttp

from reflow_operator.kube.config import Bearer, ClusterAccess
from reflow_operator.kube.errors import Gone, KubeError, Retryable, from_response
from reflow_operator.kube.throttle import TokenBucket

Json = dict[str, Any]
Params = Mapping[str, str]
NO_PARAMS: Params = MappingProxyType({})
REQUEST_SECONDS = 30.0
ATTEMPTS = 3
QUIET_SECONDS = 70.0  # bookmarks come every 60 s at the latest: a watch that is silent for longer is dead


class Cluster(Protocol):
    """What the operator asks of a Kubernetes API. `KubeClient` is the real one."""

    async def get(self, path: str, params: Params = NO_PARAMS) -> Json:
        """One object, or a list's one page."""

    async def text(self, path: str, params: Params = NO_PARAMS) -> str:
        """A subresource that isn't JSON, such as a log."""

    async def create(self, path: str, body: Json) -> Json:
        """Create an object in the collection `path`. Raises AlreadyExists."""

    async def patch(self, path: str, body: Json) -> Json:
        """A merge patch. With a resourceVersion in it, raises Conflict where the object has changed since."""

    async def delete(self, path: str, params: Params = NO_PARAMS) -> None:
        """Delete one object or, by selectors in `params`, many. Raises NotFound."""

    def watch(self, path: str, params: Params) -> AsyncIterator[Json]:
        """The events after a resourceVersion. Ends when the server ends it; raises Gone, Retryable."""


Observer = Callable[[str, str, int], None]  # verb, path, status (0: no answer)


def _unobserved(verb: str, path: str, status: int) -> None:
    """No one counts the requests."""


class KubeClient:
    """The real API server. An async context manager."""

    def __init__(
        self,
        access: ClusterAccess,
        *,
        qps: float = 100.0,
        burst: int = 200,
        parallel: int = 50,
        observe: Observer = _unobserved,
    ) -> None:
        """`observe` is told of every answer."""
        self._access = access
        self._bearer = Bearer(access)
        self._bucket = TokenBucket(qps, burst)
        self._slots = asyncio.Semaphore(parallel)
        self._parallel = parallel
        self._observe = observe
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        with tempfile.TemporaryDirectory() as scratch:
            context = self._access.ssl_context(Path(scratch))
        # Watches hold connections of their own, beside the `parallel` ones.
        connector = aiohttp.TCPConnector(limit=self._parallel + 50, ssl=context if context else True)
        self._session = aiohttp.ClientSession(
            connector=connector, headers={"User-Agent": "reflow-operator", "Accept": "application/json"}
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def get(self, path: str, params: Params = NO_PARAMS) -> Json:
        """See `Cluster`."""
        return _json(await self._ask("GET", path, params))

    async def text(self, path: str, params: Params = NO_PARAMS) -> str:
        """See `Cluster`."""
        return (await self._ask("GET", path, params, accept="*/*")).decode(errors="replace")

    async def create(self, path: str, body: Json) -> Json:
        """See `Cluster`."""
        return _json(await self._ask("POST", path, NO_PARAMS, body))

    async def patch(self, path: str, body: Json) -> Json:
        """See `Cluster`."""
        return _json(await self._ask("PATCH", path, NO_PARAMS, body, "application/merge-patch+json"))

    async def delete(self, path: str, params: Params = NO_PARAMS) -> None:
        """See `Cluster`."""
        await self._ask("DELETE", path, params)

    async def _ask(
        self,
        verb: str,
        path: str,
        params: Params,
        body: Json | None = None,
        content: str = "application/json",
        accept: str = "application/json",
    ) -> bytes:
        headers = {"Accept": accept}
        data = None
        if body is not None:
            headers["Content-Type"] = content
            data = json.dumps(body, separators=(",", ":")).encode()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._once(verb, path, params, data, headers)
            except Retryable as error:
                if attempt == ATTEMPTS or error.after > 5:
                    raise
                await asyncio.sleep(error.after * attempt * (0.5 + random.random()))
        raise AssertionError("not reached")

    async def _once(
        self, verb: str, path: str, params: Params, data: bytes | None, headers: Mapping[str, str]
    ) -> bytes:
        assert self._session is not None, "use the client as an async context manager"
        status = 0
        await self._bucket.take()
        async with self._slots:
            try:
                async with self._session.request(
                    verb,
                    self._access.server + path,
                    params=params,
                    data=data,
                    headers={**headers, **self._bearer.headers()},
                    timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS, connect=5.0),
                ) as response:
                    status = response.status
                    content = await response.read()
                    if status >= 400:
                        raise self._refusal(response, content)
                    return content
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise _no_answer(self._access.server, error) from error
            finally:
                self._observe(verb, path, status)

    async def watch(self, path: str, params: Params) -> AsyncIterator[Json]:
        """See `Cluster`."""
        assert self._session is not None, "use the client as an async context manager"
        params = {**params, "watch": "true", "allowWatchBookmarks": "true"}
        try:
            async with self._session.get(
                self._access.server + path,
                params=params,
                headers=self._bearer.headers(),
                timeout=aiohttp.ClientTimeout(total=None, connect=5.0, sock_read=QUIET_SECONDS),
            ) as response:
                self._observe("WATCH", path, response.status)
                if response.status >= 400:
                    raise self._refusal(response, await response.read())
                async for line in _lines(response.content):
                    yield _checked(json.loads(line))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _no_answer(self._access.server, error) from error

    def _refusal(self, response: aiohttp.ClientResponse, content: bytes) -> KubeError:
        if response.status == 401:
            self._bearer.refused()
        reason, message = "", content[:500].decode(errors="replace")
        with suppress(ValueError):
            answer = json.loads(content)
            if isinstance(answer, dict):
                reason, message = str(answer.get("reason", "")), str(answer.get("message", message))
        message = message or response.reason or "no reason given"
        return from_response(response.status, reason, message, response.headers.get("Retry-After"))


def _json(content: bytes) -> Json:
    value = json.loads(content)
    if not isinstance(value, dict):
        raise Retryable(0, "NoObject", "the API server's answer is no JSON object", after=1.0)
    return value


def _no_answer(server: str, error: BaseException) -> Retryable:
    words = str(error) or type(error).__name__
    return Retryable(0, "NoAnswer", f"the API server at {server} gives no answer: {words}", after=1.0)


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Whole lines, of any length: aiohttp's own readline refuses long ones."""
    pieces: list[bytes] = []
    async for chunk in stream.iter_any():
        head, *rest = chunk.split(b"\n")
        pieces.append(head)
        for tail in rest:
            line = b"".join(pieces)
            if line.strip():
                yield line
            pieces = [tail]


def _checked(event: Json) -> Json:
    """An event as it came; a watch reports its errors as events too."""
    if event.get("type") != "ERROR":
        return event
    answer = event.get("object") or {}
    code, reason = int(answer.get("code", 0)), str(answer.get("reason", ""))
    message = str(answer.get("message", "the watch failed"))
    if code == 410 or reason in ("Expired", "Gone"):
        raise Gone(410, reason, message)
    raise Retryable(code, reason, message, after=1.0)
