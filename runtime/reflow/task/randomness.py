"""Random numbers in forked tasks: each has its own, unless the script itself seeded the generator while it loaded.

A script that says `random.seed(42)` at module level gets the same numbers in every task, forked or not. One that
doesn't must not: a fork copies the generator, so each child is given fresh randomness.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Seeding:
    """Which generators the script seeded while it loaded. `state`: of `random`, once loaded, where it did."""

    __slots__ = ("state", "stdlib")

    def __init__(self) -> None:
        self.stdlib = False
        self.state: tuple[Any, ...] | None = None


@contextmanager
def watching_seeds() -> Iterator[Seeding]:
    """Within this, calls of `random.seed` and `random.setstate` are noted."""
    seeding = Seeding()
    seed, setstate = random.seed, random.setstate

    def noted_seed(*arguments: Any, **options: Any) -> None:
        seeding.stdlib = bool(arguments or options)
        seed(*arguments, **options)

    def noted_setstate(state: Any) -> None:
        seeding.stdlib = True
        setstate(state)

    random.seed, random.setstate = noted_seed, noted_setstate
    try:
        yield seeding
    finally:
        random.seed, random.setstate = seed, setstate
        seeding.state = random.getstate() if seeding.stdlib else None


def reseed(seeding: Seeding) -> None:
    """Called in a forked child."""
    if seeding.state is not None:
        random.setstate(seeding.state)  # Python itself seeds it anew in every fork
    else:
        random.seed(int.from_bytes(os.urandom(32), "big"))
    numpy = sys.modules.get("numpy.random")
    if numpy is not None and not _numpy_was_seeded(numpy):
        numpy.seed()


def _numpy_was_seeded(numpy: Any) -> bool:
    """numpy keeps the SeedSequence of a generator that seeded itself, and drops it when a user seeds it."""
    try:
        generator = numpy.mtrand._rand._bit_generator
        return getattr(generator, "_seed_seq", None) is None
    except AttributeError:
        return False
