"""`profile`: how long a part of a step takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager


@contextmanager
def profile(label: str, stats_dict: MutableMapping[str, int] | None = None) -> Iterator[None]:
    """Print when the block begins, and its milliseconds at its end; or add these to `stats_dict[label]`."""
    if stats_dict is None:
        print(f"PROFILE: {label} starting")
    since = time.monotonic()
    yield
    took = int((time.monotonic() - since) * 1000)
    if stats_dict is None:
        print(f"PROFILE: {label} completed in {took}ms")
    else:
        stats_dict[label] = stats_dict.get(label, 0) + took
