"""What a script holds once it is loaded that a forked task must not share: then each task gets a fresh process.

A generator that the script didn't seed would give the same numbers in every fork, and different ones in every fresh
process; one that it did seed gives the same in both. Some libraries' own threads don't survive a fork.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

NEVER = ("grpc", "polars", "pyspark", "ray", "tensorflow")  # their pools hang in a fork
WITH_THREADS = ("jax", "pyarrow", "torch")  # fine until they have started threads
MOST_ENTROPY = 1 << 64  # a seed that a person writes is smaller; one that numpy draws has 128 bits


def unshareable() -> str:
    """Why a fork of this process would be told from a fresh one; "" where it wouldn't."""
    for name in NEVER:
        if name in sys.modules:
            return f"the script imports {name}, which can't be used in a forked process"
    for name in WITH_THREADS:
        if name in sys.modules and _native_threads() > 1:
            return f"the script imports {name}, which has started threads"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "the script uses CUDA while it loads"
    for where, value in _held():
        if _is_own_generator(value):
            return f"the script makes a generator of random numbers while it loads ({where})"
    return ""


def _native_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def _held() -> Iterator[tuple[str, Any]]:
    """The globals of the script and of the modules beside it, and what their classes hold."""
    for module in _users_modules():
        for name, value in list(vars(module).items()):
            yield name, value
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield from ((f"{name}.{inner}", held) for inner, held in list(vars(value).items()))


def _users_modules() -> Iterator[ModuleType]:
    main = sys.modules["__main__"]
    yield main
    folder = os.path.dirname(os.path.abspath(getattr(main, "__file__", None) or "x")) + os.sep
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if module is not main and file.startswith(folder) and "-packages" not in file:
            yield module


def _is_own_generator(value: Any) -> bool:
    """Whether it's a generator whose numbers may differ from process to process. Those of the modules `random` and
    `numpy.random` themselves are renewed in each fork: see `task.randomness`."""
    random = sys.modules.get("random")
    if random is not None and isinstance(value, random.Random):
        shared = getattr(random, "_inst", None)
        return value is not shared and not isinstance(value, random.SystemRandom)
    numpy = sys.modules.get("numpy.random")
    if numpy is None:
        return False
    if isinstance(value, numpy.RandomState):
        return (
            value is not numpy.mtrand._rand and getattr(value._bit_generator, "_seed_seq", None) is not None
        )
    if isinstance(value, numpy.Generator):
        entropy = getattr(getattr(value.bit_generator, "seed_seq", None), "entropy", None)
        return isinstance(entropy, int) and entropy >= MOST_ENTROPY
    return False
