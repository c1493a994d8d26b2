"""How a run comes into the operator's memory: a new one is checked and claimed, a known one is rebuilt.

Can be killed at any instruction and repeated. Nothing is claimed before code and parameters are known to be
good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reflow.engine.events import TaskEnd
from reflow.graph.build import Unsettled
from reflow.manifests.types import FlowRun
from reflow.store.flowstore import FlowStore
from reflow.store.values import CodeRef, Manifest
from reflow.values.errors import NotFound
from reflow_operator import opening
from reflow_operator.constants import Reason
from reflow_operator.finalizer import Finalizer
from reflow_operator.graphs import GraphReader
from reflow_operator.held import Refused
from reflow_operator.objects import ObjectKey
from reflow_operator.podbook import PodBook
from reflow_operator.podview import PodView
from reflow_operator.reporting import Ending
from reflow_operator.running import Run
from reflow_operator.source import Source
from reflow_operator.status import AgainNote
from reflow_operator.stores import Stores


@dataclass(frozen=True, slots=True)
class Opened:
    """A run in memory. `pods`: those that have still to be looked at. `ending`: it is over already. `fresh`:
    it was claimed just now."""

    run: Run
    pods: tuple[PodView, ...]
    ending: Ending | None
    fresh: bool


@dataclass(frozen=True, slots=True)
class _Claimed:
    """`known`: all that there is to know of the run's tasks, None where the store has to be asked."""

    manifest: Manifest
    again: tuple[AgainNote, ...]
    known: Sequence[TaskEnd] | None


class Beginning:
    """See the module's docstring."""

    def __init__(
        self,
        stores: Stores,
        book: PodBook,
        graphs: GraphReader,
        finalizer: Finalizer,
        clock: Callable[[], float],
        image_patience: float,
    ) -> None:
        self._stores = stores
        self._book = book
        self._graphs = graphs
        self._finalizer = finalizer
        self._clock = clock
        self._image_patience = image_patience

    async def open(self, key: ObjectKey, flowrun: FlowRun) -> Opened | None:
        """None where the Pod that reads the graph has to say something first. Raises Refused, Held."""
        store = await self._stores.flow(key.namespace, flowrun.spec.flow)
        claimed = await self._claimed(key, flowrun, store)
        if claimed is None:
            return None
        try:
            return await self._opened(key, flowrun, store, claimed)
        except BaseException:
            self._book.unfollow(flowrun.meta.uid)
            raise

    async def _opened(self, key: ObjectKey, flowrun: FlowRun, store: FlowStore, claimed: _Claimed) -> Opened:
        # The Pods as they are now, and only then the store: so what ended before is in the one or the other.
        pods = self._book.follow(flowrun.meta.uid)
        with_pods = frozenset(pod.key for pod in pods if pod.key is not None)
        run_id = claimed.manifest.run
        known, end = claimed.known, None
        if known is None:
            known = await self._stores.call(opening.read_known, store, run_id, with_pods)
            end = await self._stores.call(store.end, run_id)
        now = self._clock()
        run, open_pods = opening.rebuild(
            key, flowrun, claimed.manifest, store, known, pods, claimed.again, now, self._image_patience
        )
        if end is not None:
            return Opened(run, (), opening.ending_of(run, end, flowrun.meta.uid), claimed.known is not None)
        await self._stores.call(store.renew, run_id, claimed.manifest.owner)
        return Opened(run, tuple(open_pods), None, claimed.known is not None)

    async def _claimed(self, key: ObjectKey, flowrun: FlowRun, store: FlowStore) -> _Claimed | None:
        run_id = flowrun.status.get("runID")
        if run_id is not None:
            try:
                manifest = await self._stores.call(store.manifest, str(run_id))
            except NotFound as error:
                words = f"{error} The FlowRun had that run; its data was removed from the store."
                raise Refused(Reason.RUN_GONE, words) from error
            return _Claimed(manifest, opening.notes_of(flowrun.status), known=None)
        found = await self._read(key, flowrun, store)
        if found is None:
            return None
        source, code, package, by_pod = found
        prepared = await self._stores.call(
            opening.prepare, store, flowrun, source, code, package, self._clock()
        )
        await self._finalizer.put_on(key)
        manifest = await self._stores.call(opening.claim_run, store, flowrun, prepared)
        if by_pod:
            await self._graphs.done(flowrun, store)
        put_now = any(manifest is one for one in prepared.made)
        return _Claimed(manifest, prepared.again, known=prepared.taken_over if put_now else None)

    async def _read(
        self, key: ObjectKey, flowrun: FlowRun, store: FlowStore
    ) -> tuple[Source, CodeRef, bytes | None, bool] | None:
        """The code's graph: by its syntax tree, or else by a Pod."""
        try:
            return (*await self._stores.call(opening.read_source, store, flowrun.spec), False)
        except Unsettled:
            found = await self._graphs.read(key, flowrun, store)
        return None if found is None else (*found, None, True)
