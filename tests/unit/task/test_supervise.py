"""The parent of tasks, where the store fails it."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reflow.task.keeping import Keeper, Kept
from reflow.task.patience import Patience
from reflow.task.supervise import Supervisor
from reflow.values.errors import StoreUnreachable
from reflow.values.key import TaskKey


class FailingKeeper:
    """Two records at once that could not be written."""

    def __init__(self) -> None:
        self._news, self._bell = os.pipe()
        self.lot: list[Kept] = []
        self.closed = False
        self.patience = Patience()

    def ring(self) -> None:
        os.write(self._bell, b"x")

    def fileno(self) -> int:
        return self._news

    def take(self) -> list[Kept]:
        os.read(self._news, 100)
        lot, self.lot = self.lot, []
        return lot

    def tick(self, now: float) -> None:
        """Nothing waits."""

    def close(self) -> None:
        self.closed = True
        os.close(self._news)
        os.close(self._bell)


def test_two_records_that_fail_together_end_the_supervisor_instead_of_hanging_it() -> None:
    keeper = FailingKeeper()
    supervisor = Supervisor(cast(Any, None), "1", cast(Keeper, keeper))
    for step in ("a", "b"):
        spec = SimpleNamespace(key=TaskKey(step), attempt=0, launch=0)
        task = SimpleNamespace(spec=spec, child=SimpleNamespace(pid=1), lost="", unloadable=False)
        supervisor._keeping[spec.key] = cast(Any, task)
        keeper.lot.append(Kept(cast(Any, spec), error=StoreUnreachable("no answer")))
    keeper.ring()
    with pytest.raises(StoreUnreachable), supervisor:
        supervisor.poll(1)
    assert supervisor.running == 0
    assert keeper.closed
