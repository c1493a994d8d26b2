"""Clears up Pods that ended without saying how: by the store, by the Pod's own log, or as what they look
like."""

from __future__ import annotations

import asyncio

from reflow.engine.events import Failed, Lost, Succeeded
from reflow_operator.ends import Unclear, without_record
from reflow_operator.launching import Launcher
from reflow_operator.looking import look_up, settle
from reflow_operator.podview import PodView
from reflow_operator.running import Run
from reflow_operator.stores import Stores

AT_ONCE = 8


class Settling:
    """See the module's docstring."""

    def __init__(self, stores: Stores, launcher: Launcher) -> None:
        self._stores = stores
        self._launcher = launcher

    async def next_lot(self, run: Run) -> list[Succeeded | Failed | Lost]:
        """Some of the run's unsettled ends, cleared up. Raises Held where the store can't be asked: they
        stay then."""
        lot = run.unsettled[:AT_ONCE]
        found = await asyncio.gather(*(self._one(run, pod, unclear) for pod, unclear in lot))
        del run.unsettled[: len(lot)]
        return list(found)

    async def _one(self, run: Run, pod: PodView, unclear: Unclear) -> Succeeded | Failed | Lost:
        store, run_id = run.store, run.manifest.run
        end: Succeeded | Failed | Lost | None = await self._stores.call(look_up, store, run_id, unclear)
        if end is None and unclear.fault.cluster:
            end = without_record(unclear)
        elif end is None:
            tail = await self._launcher.tail(pod) if pod.uid else ""
            end = await self._stores.call(settle, store, run_id, unclear, pod, tail)
        if unclear.alive and pod.uid:
            await self._launcher.delete(pod)
        return end
