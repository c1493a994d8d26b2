"""What a claimed run counts on, once its manifest keeps gc from deleting it."""

from __future__ import annotations

from contextlib import suppress

from reflow.store import layout
from reflow.store.flowstore import FlowStore
from reflow.store.values import Manifest
from reflow.values.errors import NotFound, ReflowError


def hold(store: FlowStore, manifest: Manifest) -> None:
    """Make sure that all that the run clones is there, now that it can't go any more.

    Where something has gone before the claim, the run id is given back. Raises NotFound.
    """
    try:
        store.check_clones(manifest)
    except NotFound:
        if store.objects.stat(layout.run(store.flow, manifest.run).manifest):
            with suppress(ReflowError):  # tasks of it have finished: it stays as it is
                store.release(manifest.run)
        raise
