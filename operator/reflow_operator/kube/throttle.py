"""How fast the operator may ask: a token bucket, in loop time."""

from __future__ import annotations

import asyncio


class TokenBucket:
    """`rate` tokens a second, at most `burst` saved up. Waiters are served in the order of their coming."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled = -1.0
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Wait for a token and take it."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if self._filled >= 0:
                self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            if self._tokens < 1:
                wait = (1 - self._tokens) / self._rate
                await asyncio.sleep(wait)
                self._filled += wait
                self._tokens = 1.0
            self._tokens -= 1
