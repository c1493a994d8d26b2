"""The keyed queue: once each, never twice at once, later where it fails."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable

import pytest

from reflow_operator.workqueue import WorkQueue
from tests.unit.operator.clockwork import run

Work = Callable[[str], Awaitable[float | None]]


async def _worked(work: Work, script: Callable[[WorkQueue[str]], Awaitable[None]], workers: int = 2) -> None:
    queue: WorkQueue[str] = WorkQueue(work, name="test")
    runner = asyncio.create_task(queue.run(workers))
    try:
        await script(queue)
    finally:
        runner.cancel()


def test_a_key_that_waits_is_there_once() -> None:
    done: list[str] = []

    async def work(key: str) -> None:
        done.append(key)

    async def script(queue: WorkQueue[str]) -> None:
        for key in "aabab":
            queue.add(key)
        await asyncio.sleep(1)

    run(_worked(work, script))
    assert done == ["a", "b"]


def test_a_key_added_while_it_is_worked_on_is_worked_on_again_and_never_twice_at_once() -> None:
    at_once, most, count = 0, 0, 0

    async def work(key: str) -> None:
        nonlocal at_once, most, count
        at_once, count = at_once + 1, count + 1
        most = max(most, at_once)
        await asyncio.sleep(1)
        at_once -= 1

    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(0.5)
        queue.add("a")
        queue.add("a")
        await asyncio.sleep(5)

    run(_worked(work, script))
    assert (most, count) == (1, 2)


def test_different_keys_are_worked_on_at_once() -> None:
    ended: list[float] = []

    async def work(key: str) -> None:
        await asyncio.sleep(1)
        ended.append(asyncio.get_running_loop().time())

    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")
        queue.add("b")
        await asyncio.sleep(3)

    run(_worked(work, script))
    assert len(ended) == 2
    assert ended[0] == pytest.approx(ended[1])


def test_a_failing_key_comes_back_each_time_later_and_its_success_forgets_that(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    times: list[float] = []

    async def work(key: str) -> None:
        times.append(asyncio.get_running_loop().time())
        if len(times) != 4:
            raise RuntimeError("no")

    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(20)
        queue.add("a")
        await asyncio.sleep(0.4)

    run(_worked(work, script))
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[0] < pauses[1] < pauses[2]
    assert pauses[4] < 0.4


def test_a_key_is_worked_on_when_its_time_comes_and_the_earlier_appointment_stands() -> None:
    times: list[float] = []

    async def work(key: str) -> None:
        times.append(asyncio.get_running_loop().time() - 1000)

    async def script(queue: WorkQueue[str]) -> None:
        queue.add_after("a", 5)
        queue.add_after("a", 2)
        queue.add_after("a", 9)
        await asyncio.sleep(30)

    run(_worked(work, script))
    assert times == pytest.approx([2], abs=0.01)


def test_work_says_when_it_wants_the_key_again() -> None:
    times: list[float] = []

    async def work(key: str) -> float | None:
        times.append(asyncio.get_running_loop().time() - 1000)
        return 3 if len(times) < 3 else None

    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(30)

    run(_worked(work, script))
    assert times == pytest.approx([0, 3, 6], abs=0.01)
