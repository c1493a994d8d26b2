"""`parallel_map`: a function over many values, each in a process of its own, forked from the step's."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from select import select
from typing import Any, BinaryIO, TypeVar

from reflow.values.dataclass import dataclass
from reflow.values.errors import ReflowError

A = TypeVar("A")
R = TypeVar("R")


class MulticoreException(ReflowError):
    """A process of `parallel_map` failed; its traceback is on stderr."""


def parallel_map(
    func: Callable[[A], R], iterable: Iterable[A], max_parallel: int | None = None, dir: str | None = None
) -> list[R]:
    """As `list(map(func, iterable))`, in `max_parallel` processes at a time: else as many as there are processors.

    `func` may be a lambda; what it returns is pickled, into files in `dir`. Raises MulticoreException.
    """
    done = _run(func, iterable, max_parallel, dir)
    return [value for _, value in sorted(done, key=lambda one: one[0])]


def parallel_imap_unordered(
    func: Callable[[A], R], iterable: Iterable[A], max_parallel: int | None = None, dir: str | None = None
) -> Iterator[R]:
    """As `parallel_map`, each result as it comes."""
    return (value for _, value in _run(func, iterable, max_parallel, dir))


@dataclass(frozen=True, slots=True)
class _Child:
    """`over`: a pipe that is readable once the process has ended, or has said that `file` has its result."""

    pid: int
    place: int
    over: int
    file: BinaryIO


def _run(
    func: Callable[[A], R], iterable: Iterable[A], at_once: int | None, folder: str | None
) -> Iterator[tuple[int, R]]:
    waiting = enumerate(iterable)
    running: list[_Child] = []
    try:
        for place, value in islice(waiting, at_once or os.cpu_count() or 1):
            running.append(_start(func, place, value, folder))
        while running:
            ended, _, _ = select([child.over for child in running], [], [])
            child = next(child for child in running if child.over in ended)
            running.remove(child)
            yield child.place, _result(child)
            for place, value in islice(waiting, 1):
                running.append(_start(func, place, value, folder))
    finally:
        for child in running:
            _end(child)
            child.file.close()


def _end(child: _Child) -> int:
    os.close(child.over)
    return os.waitpid(child.pid, 0)[1]


def _result(child: _Child) -> Any:
    with child.file as file:
        is_whole = bool(os.read(child.over, 1))
        status = _end(child)
        if status:
            raise MulticoreException(
                f"The process for value {child.place} failed; its traceback is on stderr."
            )
        if not is_whole:
            raise MulticoreException(
                f"The process for value {child.place} failed: it ended itself before it had a result."
            )
        file.seek(0)
        return pickle.load(file)


def _start(func: Callable[[A], Any], place: int, value: A, folder: str | None) -> _Child:
    import tempfile

    file: Any = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (read here once the other process is done)
    over, held = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(held)
        return _Child(pid, place, over, file)
    code = 1
    try:
        pickle.dump(func(value), file, protocol=pickle.HIGHEST_PROTOCOL)
        file.flush()
        os.write(held, b".")
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
