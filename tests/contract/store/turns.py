"""Two workers on one store that take turns, operation by operation, as a schedule says; and a store that looks old.

Each worker has a thread, and only the one whose turn it is does anything, so that a schedule always plays the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from reflow.store import sweeps
from reflow.store.objects import ObjectInfo, ObjectStore

Segment = tuple[str, int]  # who, and for how many operations
TO_THE_END = 1 << 30
PATIENCE = 30.0


class Turns:
    """Whose turn it is. After the last segment, each goes on to its end, the first of them first."""

    def __init__(self, workers: Sequence[str], schedule: Iterable[Segment]) -> None:
        self._workers = workers
        self._segments = [*schedule, *((worker, TO_THE_END) for worker in workers)]
        self._done: set[str] = set()
        self._changed = threading.Condition()
        self.taken = dict.fromkeys(workers, 0)

    def take(self, me: str) -> None:
        """Wait for the turn, and use one operation of it."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._whose() == me, PATIENCE), f"{me} waits for ever"
            who, left = self._segments[0]
            self._segments[0] = (who, left - 1)
            self.taken[me] += 1
            self._changed.notify_all()

    def wait(self, me: str) -> None:
        """Nothing to do before the others have gone on."""
        with self._changed:
            others = [(worker, TO_THE_END) for worker in self._workers if worker not in (me, *self._done)]
            assert others, f"{me} waits for nobody"
            self._segments = [*others, *self._segments]
            self._changed.notify_all()

    def finish(self, me: str) -> None:
        with self._changed:
            self._done.add(me)
            self._changed.notify_all()

    def _whose(self) -> str:
        while self._segments[0][1] <= 0 or self._segments[0][0] in self._done:
            self._segments.pop(0)
        return self._segments[0][0]


class Ages:
    """Which objects look as if they had been written eight days ago: those that are there when it's made."""

    def __init__(self, store: ObjectStore) -> None:
        self._old = {info.key for info in store.list("")}

    def written(self, key: str) -> None:
        self._old.discard(key)

    def seen(self, info: ObjectInfo) -> ObjectInfo:
        shift = 8 * 24 * 3600.0 if info.key in self._old else 0.0
        return ObjectInfo(info.key, info.size, info.modified - shift)


class TurnStore:
    """A store in which each operation waits for its worker's turn."""

    parallel = 1

    def __init__(self, inner: ObjectStore, ages: Ages, turn: Callable[[], None]) -> None:
        self._inner = inner
        self._ages = ages
        self._turn = turn

    @property
    def url(self) -> str:
        return self._inner.url

    @property
    def scratch(self) -> Path:
        return self._inner.scratch

    def get(self, key: str) -> bytes:
        self._turn()
        return self._inner.get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        self._turn()
        return self._inner.get_range(key, start, length)

    def get_into(self, key: str, target: BinaryIO) -> None:
        self._turn()
        self._inner.get_into(key, target)

    def open(self, key: str) -> BinaryIO:
        self._turn()
        return self._inner.open(key)

    def put(self, key: str, data: bytes) -> None:
        self._turn()
        self._inner.put(key, data)
        self._ages.written(key)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self._turn()
        put = self._inner.put_if_absent(key, data)
        if put:
            self._ages.written(key)
        return put

    def put_file(self, key: str, path: Path, sha256: str) -> None:
        self._turn()
        self._inner.put_file(key, path, sha256)
        self._ages.written(key)

    def move_file(self, key: str, path: Path, sha256: str) -> None:
        self._turn()
        self._inner.move_file(key, path, sha256)
        self._ages.written(key)

    def stat(self, key: str) -> ObjectInfo | None:
        self._turn()
        found = self._inner.stat(key)
        return found and self._ages.seen(found)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        self._turn()
        yield from [self._ages.seen(info) for info in self._inner.list(prefix, after=after)]

    def list_folders(self, prefix: str) -> Iterator[str]:
        self._turn()
        yield from list(self._inner.list_folders(prefix))

    def delete(self, keys: Iterable[str]) -> None:
        batch = list(keys)
        self._turn()
        self._inner.delete(batch)

    def now(self) -> float:
        self._turn()
        return self._inner.now()

    def check(self) -> None:
        self._turn()


Work = Callable[[ObjectStore], None]


def play(
    store: ObjectStore, work: dict[str, Work], schedule: Iterable[Segment], monkeypatch: pytest.MonkeyPatch
) -> dict[str, int]:
    """Play the workers by the schedule; how many operations each took. Raises what one of them raised."""
    turns, ages = Turns(list(work), schedule), Ages(store)
    errors: list[BaseException] = []
    names: dict[int, str] = {}

    def run(name: str, do: Work) -> None:
        names[threading.get_ident()] = name
        try:
            do(TurnStore(store, ages, lambda: turns.take(name)))
        except BaseException as error:
            errors.append(error)
        finally:
            turns.finish(name)

    class Time:
        """What `sweeps` knows of time: who would sleep lets the others go on."""

        monotonic = staticmethod(lambda: 0.0)
        sleep = staticmethod(lambda _: turns.wait(names[threading.get_ident()]))

    monkeypatch.setattr(sweeps, "time", Time)
    threads = [threading.Thread(target=run, args=item, daemon=True) for item in work.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE * 2)
    if errors:
        raise errors[0]
    return turns.taken
