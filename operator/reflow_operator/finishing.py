"""How a run goes out: its end into the store, then into the status, then its Pods go, at last finalizer and object.

In this order, so that a kill anywhere leaves what the next operator needs to go on: an end in the store without one in
the status is told then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from reflow.manifests.types import FlowRun
from reflow.store.values import RunEnd
from reflow.values.errors import ReflowError
from reflow_operator import reporting
from reflow_operator.constants import Reason
from reflow_operator.expiry import Expiry
from reflow_operator.finalizer import Finalizer
from reflow_operator.held import Refused
from reflow_operator.kubeevents import Note
from reflow_operator.launching import Launcher
from reflow_operator.objects import ObjectCache, ObjectKey
from reflow_operator.reporting import Ending
from reflow_operator.running import Run
from reflow_operator.statuswriter import StatusWriter
from reflow_operator.stores import Stores

log = logging.getLogger(__name__)
Forget = Callable[[ObjectKey], None]


class Finishing:
    """See the module's docstring."""

    def __init__(
        self,
        *,
        stores: Stores,
        objects: ObjectCache,
        launcher: Launcher,
        finalizer: Finalizer,
        expiry: Expiry,
        writer: StatusWriter,
        clock: Callable[[], float],
    ) -> None:
        self._stores = stores
        self._objects = objects
        self._launcher = launcher
        self._finalizer = finalizer
        self._expiry = expiry
        self._writer = writer
        self._clock = clock

    async def close(self, run: Run, reason: str, forget: Forget) -> None:
        """The run is over, for this reason. Raises Held where the store can't be told."""
        message = reporting.ending_words(run, reason)
        now = self._clock()
        await self._stores.call(run.store.finish, run.manifest.run, run_end(run, reason, message, now))
        await self.tell(run, Ending(reason, message, now), forget)

    async def tell(self, run: Run, ending: Ending, forget: Forget) -> None:
        """The run's end is in the store: say so, and clear up.

        `forget` is called before another status may be written.
        """
        async with self._writer.exclusive(run.key):
            obj = self._objects.get(run.key)
            if obj is not None:
                generation = int(obj["metadata"].get("generation") or 0)
                summary = reporting.under_way(run, generation, None, ending)
                failed = ending.reason != Reason.SUCCEEDED
                notes = reporting.failure_notes(run)  # says the same as the end of a run that failed
                known = ending.reason == Reason.TASK_FAILED and (obj.get("status") or {}).get("failure")
                if not notes and not known:
                    notes = [Note(run.key, run.owner.uid, ending.reason, ending.message, warning=failed)]
                await self._writer.write(run.key, summary, notes)
            forget(run.key)
        await self._launcher.sweep(run)

    async def withdraw(self, run: Run, message: str) -> None:
        """The script can't be loaded and no task has finished: the run never was. Raises Refused, or Held.

        Where other Pods ran beside, one may still commit a result on its way out: the run id stays used then, so that
        no later run can take that result for its own.
        """
        await self._launcher.stop_all(run)
        if run.active or run.unsettled or len(run.ended_pods) > 1:
            end = RunEnd(succeeded=False, ended=self._clock(), message=message)
            await self._stores.call(run.store.finish, run.manifest.run, end)
            raise Refused(Reason.INVALID_CODE, message)
        try:
            await self._stores.call(run.store.release, run.manifest.run)
        except ReflowError as error:
            log.info("%s keeps its run id: %s", run.key, error)
        raise Refused(Reason.INVALID_CODE, message)

    async def refuse(self, key: ObjectKey, obj: dict[str, Any], refused: Refused, forget: Forget) -> None:
        """The run can't begin: say why."""
        meta = obj["metadata"]
        origin = (obj.get("status") or {}).get("originRunID")
        generation = int(meta.get("generation") or 0)
        summary = reporting.refused(generation, refused.reason, refused.message, self._clock(), origin)
        note = Note(key, str(meta.get("uid", "")), refused.reason, refused.message, warning=True)
        async with self._writer.exclusive(key):
            await self._writer.write(key, summary, [note])
            forget(key)
        await self.let_go(key)

    async def let_go(self, key: ObjectKey) -> None:
        """Nothing is left to do before a deletion."""
        await self._finalizer.take_off(key)

    async def after(self, key: ObjectKey, flowrun: FlowRun) -> float | None:
        """What is left to do once the status says that the run is over; in how many seconds there is more."""
        await self.let_go(key)
        return await self._expiry.look(key, flowrun.spec.ttl_seconds_after_finished)


def run_end(run: Run, reason: str, message: str, now: float) -> RunEnd:
    """What the store keeps of a run's end."""
    failed = run.failure() if reason == Reason.TASK_FAILED else None
    if failed is not None:
        task = f"{failed.step}/{failed.task}"
        return RunEnd(False, now, failed_step=failed.step, failed_task=task, message=failed.message)
    succeeded = reason == Reason.SUCCEEDED
    return RunEnd(succeeded, now, message="" if succeeded else message)
