"""The graph of code that only running it tells: a Pod of the FlowRun's own image loads the script and"
" says."""

from __future__ import annotations

from reflow.manifests.types import FlowRun
from reflow.store.flowstore import FlowStore
from reflow.store.values import CodeRef
from reflow_operator.constants import Reason
from reflow_operator.held import Refused
from reflow_operator.objects import ObjectKey
from reflow_operator.source import Source


class GraphReader:
    """See the module's docstring."""

    async def read(
        self, key: ObjectKey, flowrun: FlowRun, store: FlowStore, why: str
    ) -> tuple[Source, CodeRef, bytes | None] | None:
        """The source, None while its Pod runs. Raises Refused where the Pod says that the script can't be
        loaded."""
        raise Refused(Reason.INVALID_CODE, f"The flow's graph can't be read off its code: {why}")
