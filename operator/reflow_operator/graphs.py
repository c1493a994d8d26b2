"""The graph of code that only running it tells: a Pod of the FlowRun's own image loads the script and says.

The Pod puts its answer into the store, under the FlowRun's UID, and is asked for again only where that's
missing: so a restart anywhere goes on where things are. No run id is claimed before.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from reflow.graph.codec import graph_from_json
from reflow.manifests.types import FlowRun, ImageCode, Inline, Package
from reflow.store.flowstore import FlowStore
from reflow.store.package import pack_file
from reflow.store.values import CodeRef
from reflow.values.errors import NotFound
from reflow_operator import ends
from reflow_operator.constants import PODS_READY, Reason
from reflow_operator.held import Held, Refused
from reflow_operator.kube import errors, paths
from reflow_operator.kube.client import Cluster
from reflow_operator.objects import ObjectKey
from reflow_operator.podbook import PodBook
from reflow_operator.pods import Owner, PodDefaults, graph_pod, graph_pod_name
from reflow_operator.podview import PodView
from reflow_operator.source import Source, check_flow, speaks_metaflow
from reflow_operator.stores import Stores

log = logging.getLogger(__name__)
AGAIN_SECONDS = 5.0
FOLDER = "graphs"


class GraphReader:
    """See the module's docstring. `observe`: the informer's."""

    def __init__(
        self,
        cluster: Cluster,
        stores: Stores,
        book: PodBook,
        observe: Callable[[Mapping[str, Any]], object],
        defaults: PodDefaults,
        clock: Callable[[], float],
        image_patience: float,
    ) -> None:
        self._cluster = cluster
        self._stores = stores
        self._book = book
        self._observe = observe
        self._defaults = defaults
        self._clock = clock
        self._image_patience = image_patience

    async def read(self, key: ObjectKey, flowrun: FlowRun, store: FlowStore) -> tuple[Source, CodeRef] | None:
        """The source, None while its Pod runs. Raises Refused where the script can't be loaded, Held."""
        code = await self._stores.call(_put_code, store, flowrun)
        answer = await self._stores.call(_answer, store, flowrun.meta.uid)
        if answer is not None:
            return _source(answer, flowrun, code), code
        pod = self._pod(flowrun)
        if pod is None:
            await self._create(flowrun, store, code)
            return None
        await self._judge(key, pod)
        return None

    async def done(self, flowrun: FlowRun, store: FlowStore) -> None:
        """The run is claimed, its manifest has the graph: the Pod and its answer may go."""
        meta = flowrun.meta
        await self._stores.call(store.objects.delete, [_answer_key(store, meta.uid)])
        await self._delete(meta.namespace, graph_pod_name(_owner(flowrun)))

    def _pod(self, flowrun: FlowRun) -> PodView | None:
        name = graph_pod_name(_owner(flowrun))
        return next((pod for pod in self._book.pods(flowrun.meta.uid) if pod.name == name), None)

    async def _create(self, flowrun: FlowRun, store: FlowStore, code: CodeRef) -> None:
        task = {
            "v": 1,
            "op": "graph",
            "store": store.objects.url,
            "flow": flowrun.spec.flow,
            "script": code.script,
            "alias": code.alias,
            "put": _answer_key(store, flowrun.meta.uid),
        }
        if code.sha256:
            task["code"] = code.sha256
        if flowrun.spec.resume_from is None:
            task["parameters"] = dict(flowrun.spec.parameters)
        pod = graph_pod(_owner(flowrun), flowrun.spec, self._defaults, task)
        try:
            self._observe(await self._cluster.create(paths.pods(flowrun.meta.namespace), pod))
        except errors.AlreadyExists:
            return  # the watch is a moment late
        except errors.Invalid as error:
            raise Refused(Reason.INVALID_POD, f"The Pod is refused as invalid: {error.message}") from error
        except errors.Forbidden as error:
            words = f"Pods can't be created: {error.message}"
            raise Held(PODS_READY, Reason.PODS_REFUSED, words, after=AGAIN_SECONDS) from error

    async def _judge(self, key: ObjectKey, pod: PodView) -> None:
        """The Pod is there and the answer isn't: does it still run, has it failed, was it taken away?"""
        said = ends.message(pod.termination) if pod.ended else None
        if said is not None and said.get("status") == "unloadable":
            reason = Reason.INVALID_PARAMETERS if said.get("of") == "parameters" else Reason.INVALID_CODE
            raise Refused(reason, str(said.get("error") or "The script can't be loaded."))
        fault = ends.fault(pod, gone=False, now=self._clock(), image_patience=self._image_patience)
        if said is None and fault is None:
            self._raise_if_stuck(pod)
            return
        if fault is not None and said is None and not fault.cluster:
            raise Refused(
                Reason.INVALID_CODE, f"The script can't be loaded: {fault.message} (Pod {pod.name})"
            )
        words = str(said.get("error", "no answer")) if said else fault.message if fault else ""
        await self._delete(pod.namespace, pod.name)
        words = f"The Pod that reads the flow's graph is started again: {words}"
        raise Held(PODS_READY, Reason.POD_STUCK, words, after=AGAIN_SECONDS)

    def _raise_if_stuck(self, pod: PodView) -> None:
        words = ends.stuck(pod)
        if words:
            raise Held(PODS_READY, Reason.POD_STUCK, words, after=AGAIN_SECONDS)

    async def _delete(self, namespace: str, name: str) -> None:
        try:
            await self._cluster.delete(paths.pod(namespace, name))
        except errors.NotFound:
            return


def _owner(flowrun: FlowRun) -> Owner:
    meta = flowrun.meta
    return Owner(meta.namespace, meta.name, meta.uid, flowrun.spec.flow, "")


def _answer_key(store: FlowStore, uid: str) -> str:
    return f"{store.flow}/{FOLDER}/{uid}"


def _put_code(store: FlowStore, flowrun: FlowRun) -> CodeRef:
    """In a thread: the code where the Pod finds it."""
    match flowrun.spec.code:
        case Inline(text, script):
            return CodeRef(script, store.put_code(pack_file(text.encode())), speaks_metaflow(text))
        case Package(sha256, script):
            return CodeRef(script, sha256, alias=True)
        case ImageCode(path):
            # Whether it imports `metaflow` isn't known; where it doesn't, the alias means nothing.
            return CodeRef(path, None, alias=True)


def _answer(store: FlowStore, uid: str) -> Mapping[str, Any] | None:
    """In a thread: what the Pod said, if it did."""
    try:
        found = json.loads(store.objects.get(_answer_key(store, uid)))
    except (NotFound, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("v") == 1 else None


def _source(answer: Mapping[str, Any], flowrun: FlowRun, code: CodeRef) -> Source:
    try:
        graph = graph_from_json(answer["graph"])
        values, configs = dict(answer.get("values") or {}), dict(answer.get("configs") or {})
        source = Source(graph, str(answer["digest"]), values, code.alias, configs)
    except (KeyError, TypeError, ValueError) as error:
        words = f"What the script's Pod said of its graph can't be read: {error!r}"
        raise Refused(Reason.INVALID_CODE, words) from error
    check_flow(graph, flowrun.spec.flow, code.script)
    return source
