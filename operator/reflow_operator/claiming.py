"""Which run in the store a FlowRun is: its own, claimed by its UID, or the finished one of a FlowRun like it.

Works on a store, so it belongs into a thread. Can be repeated after a crash anywhere: a claim that is one's
own is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reflow.store import layout
from reflow.store.errors import RunExists
from reflow.store.flowstore import FlowStore
from reflow.store.values import Manifest
from reflow.values.errors import NotFound
from reflow_operator.constants import Reason
from reflow_operator.held import Refused

MUTABLE = ("maxWorkers", "activeDeadlineSeconds", "ttlSecondsAfterFinished")
UID_PART = 5
LONGEST_ID = 253


def claim(store: FlowStore, name: str, uid: str, make: Callable[[str], Manifest], *, again: bool) -> Manifest:
    """The run's manifest, as it is in the store. `again`: a finished run of the same spec isn't taken for
    this one.

    Raises Refused where both ids that the FlowRun may have belong to others.
    """
    first = f"k8s-{name}"
    if len(first) > LONGEST_ID - UID_PART - 1:
        words = f"The run id {first} would be too long. Give the FlowRun a shorter name."
        raise Refused(Reason.INVALID_SPEC, words)
    try:
        return store.claim(make, first)
    except RunExists:
        pass
    if not again:
        wanted = make(first)
        for run in _candidates(store, first):
            if (found := _finished_like(store, run, wanted)) is not None:
                return found
    second = f"{first}-{uid[:UID_PART]}"
    try:
        return store.claim(make, second)
    except RunExists:
        raise Refused(
            Reason.NAME_TAKEN, f"The run ids {first} and {second} are taken. Give the FlowRun another name."
        ) from None


def same_request(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two specs ask for the same run."""
    return _immutable(one) == _immutable(other)


def _immutable(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name not in MUTABLE}


def _candidates(store: FlowStore, first: str) -> list[str]:
    """Runs of FlowRuns of this name, in no order."""
    names = store.objects.list_folders(layout.runs(store.flow))
    long = len(first) + 1 + UID_PART
    return [name for name in names if name == first or (name.startswith(f"{first}-") and len(name) == long)]


def _finished_like(store: FlowStore, run: str, wanted: Manifest) -> Manifest | None:
    """The run, if it asked for the same and came to an end by itself: one that was stopped is no answer."""
    try:
        found = store.manifest(run)
    except NotFound:
        return None
    if found.code != wanted.code or not same_request(found.request, wanted.request):
        return None
    end = store.end(run)
    if end is None or not (end.succeeded or end.failed_step):
        return None
    return found
