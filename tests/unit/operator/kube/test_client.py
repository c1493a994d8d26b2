"""The API client against a real HTTP server on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from reflow_operator.kube import client as clients
from reflow_operator.kube.client import KubeClient
from reflow_operator.kube.config import ClusterAccess
from reflow_operator.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    KubeError,
    NotFound,
    Retryable,
)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(answer: Answer, **options: Any) -> AsyncIterator[KubeClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        async with KubeClient(
            ClusterAccess(server=f"http://127.0.0.1:{port}", token="t"), **options
        ) as client:
            yield client
    finally:
        await runner.cleanup()


def status(code: int, reason: str, message: str = "no", **headers: str) -> web.Response:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return web.json_response(body, status=code, headers=headers)


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (410, "Expired", Gone),
        (422, "Invalid", Invalid),
        (403, "Forbidden", Forbidden),
    ],
)
def test_refusals_are_typed_and_say_what_the_server_said(
    code: int, reason: str, kind: type[KubeError]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return status(code, reason, "the server's own words")

    async def script() -> None:
        async with serving(answer) as client:
            with pytest.raises(kind, match="the server's own words"):
                await client.create("/api/v1/namespaces/x/pods", {})

    asyncio.run(script())


def test_too_many_requests_is_waited_out() -> None:
    calls = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        if calls < 3:
            return status(429, "TooManyRequests", **{"Retry-After": "0"})
        return web.json_response({"ok": True})

    async def script() -> None:
        async with serving(answer) as client:
            assert await client.get("/x") == {"ok": True}

    asyncio.run(script())
    assert calls == 3


def test_a_server_that_is_gone_is_worth_another_try_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "ATTEMPTS", 1)

    async def script() -> None:
        async with KubeClient(ClusterAccess(server="http://127.0.0.1:9")) as client:
            with pytest.raises(Retryable, match="gives no answer"):
                await client.get("/x")

    asyncio.run(script())


def test_a_status_is_written_as_a_merge_patch_with_the_token() -> None:
    seen: dict[str, Any] = {}

    async def answer(request: web.Request) -> web.Response:
        seen.update(request.headers, method=request.method, body=await request.json())
        return web.json_response({})

    async def script() -> None:
        async with serving(answer) as client:
            await client.patch("/x/status", {"status": {"phase": "Running"}})

    asyncio.run(script())
    assert (seen["method"], seen["Content-Type"]) == ("PATCH", "application/merge-patch+json")
    assert seen["Authorization"] == "Bearer t"
    assert seen["body"] == {"status": {"phase": "Running"}}


async def _events(request: web.Request, *lines: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for line in lines:
        await response.write(line)
    return response


def test_a_watch_gives_whole_events_however_long_and_however_cut() -> None:
    big = json.dumps({"type": "ADDED", "object": {"x": "y" * 300_000}}).encode()

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.query["watch"] == "true"
        return await _events(request, big[:1000], big[1000:] + b'\n{"type": "BOOK', b'MARK", "object": {}}\n')

    async def script() -> list[str]:
        async with serving(answer) as client:
            return [event["type"] async for event in client.watch("/x", {"resourceVersion": "1"})]

    assert asyncio.run(script()) == ["ADDED", "BOOKMARK"]


def test_a_watch_that_lost_its_place_says_so() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        event = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}
        return await _events(request, json.dumps(event).encode() + b"\n")

    async def script() -> None:
        async with serving(answer) as client:
            with pytest.raises(Gone):
                async for _ in client.watch("/x", {"resourceVersion": "1"}):
                    pass

    asyncio.run(script())


def test_a_watch_that_is_silent_for_too_long_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "QUIET_SECONDS", 0.05)

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await _events(request)
        await asyncio.sleep(1)
        return response

    async def script() -> None:
        async with serving(answer) as client:
            with pytest.raises(Retryable):
                async for _ in client.watch("/x", {"resourceVersion": "1"}):
                    pass

    asyncio.run(script())


def test_requests_are_counted_by_what_became_of_them() -> None:
    seen: list[tuple[str, str, int]] = []

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({})

    async def script() -> None:
        async with serving(answer, observe=lambda *what: seen.append(what)) as client:
            await client.get("/api/v1/pods")

    asyncio.run(script())
    assert seen == [("GET", "/api/v1/pods", 200)]
