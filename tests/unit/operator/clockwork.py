"""An event loop whose time jumps to the next timer instead of passing: tests of waiting take no time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its `time()` moves on only where the loop would otherwise wait."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0
        select = self._selector.select

        def jump(timeout: float | None = None) -> Any:
            found = select(0)
            if not found and timeout:
                self._now += timeout
            return found

        self._selector.select = jump

    def time(self) -> float:
        return self._now


def run(work: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, in jumping time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)
