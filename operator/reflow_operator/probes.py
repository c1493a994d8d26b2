"""`/healthz`, `/readyz` and `/metrics`: whether the operator lives, whether it knows the cluster, and what
it did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web


async def serve(
    port: int, *, alive: Callable[[], str], ready: Callable[[], str], metrics: Callable[[], str]
) -> None:
    """Serve until cancelled. `alive`, `ready`: what is wrong, empty where nothing is."""

    def answer(what_is_wrong: Callable[[], str]) -> web.Response:
        wrong = what_is_wrong()
        return web.Response(text=wrong or "ok", status=503 if wrong else 200)

    async def healthz(_: web.Request) -> web.Response:
        return answer(alive)

    async def readyz(_: web.Request) -> web.Response:
        return answer(ready)

    async def numbers(_: web.Request) -> web.Response:
        return web.Response(text=metrics(), content_type="text/plain")

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", numbers)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "0.0.0.0", port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
