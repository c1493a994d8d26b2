"""No more requests a second than allowed, on the average."""

from __future__ import annotations

import asyncio

import pytest

from reflow_operator.kube.throttle import TokenBucket
from tests.unit.operator.clockwork import run


def test_a_burst_goes_through_and_then_the_rate_holds() -> None:
    async def script() -> list[float]:
        bucket = TokenBucket(10.0, 5)
        times = []
        for _ in range(15):
            await bucket.take()
            times.append(asyncio.get_running_loop().time() - 1000)
        return times

    times = run(script())
    assert times[4] == pytest.approx(0)
    assert times[14] == pytest.approx(1.0, abs=0.05)


def test_tokens_are_saved_up_while_nothing_is_asked() -> None:
    async def script() -> float:
        bucket = TokenBucket(10.0, 5)
        for _ in range(5):
            await bucket.take()
        await asyncio.sleep(10)
        before = asyncio.get_running_loop().time()
        for _ in range(5):
            await bucket.take()
        return asyncio.get_running_loop().time() - before

    assert run(script()) == pytest.approx(0)
