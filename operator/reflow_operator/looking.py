"""Pods that ended without saying how: the store is asked, and where it knows nothing, it is told.

In a thread. The record written here is put if absent like any other: should a result turn up after all, it
wins.
"""

from __future__ import annotations

import os

from reflow.engine.events import Failed, Lost, Succeeded
from reflow.store.flowstore import FlowStore
from reflow.store.values import ExceptionInfo, LogRef, Record, Status
from reflow_operator.ends import Unclear, without_record
from reflow_operator.podview import PodView

TAIL_BYTES = 64 << 10


def look_up(store: FlowStore, run: str, unclear: Unclear) -> Succeeded | Failed | None:
    """What the store knows of this launch, None where it knows nothing."""
    result = store.result(run, unclear.key)
    if result is not None:
        return Succeeded(unclear.key, width=result.width, case=result.case)
    failure = store.failure(run, unclear.key, unclear.attempt)
    if failure is not None:
        line = failure.exception.line if failure.exception else "failed"
        # An earlier launch of this attempt may have written it: what ended is the launch that was asked about.
        return Failed(unclear.key, failure.attempt, unclear.launch, failure.ended, line, final=failure.final)
    return None


def settle(store: FlowStore, run: str, unclear: Unclear, pod: PodView, log: str) -> Succeeded | Failed | Lost:
    """What the launch counts as, in the store too: a failure of the user's gets a record, with the end of
    its log."""
    end = without_record(unclear)
    if isinstance(end, Lost):
        return end
    record = Record(
        key=unclear.key,
        attempt=unclear.attempt,
        launch=unclear.launch,
        nonce=os.urandom(8).hex(),
        status=Status.FAILED,
        started=pod.started or pod.created or unclear.ended,
        ended=unclear.ended,
        exception=ExceptionInfo(type="PodFailed", message=end.message, traceback=""),
        log=_keep_log(store, run, unclear, log),
        host=pod.name,
        final=end.final,
    )
    won = store.commit(run, record)
    if won.status.finished:
        return Succeeded(won.key, width=won.width, case=won.case)
    line = won.exception.message if won.exception else end.message
    return Failed(won.key, won.attempt, unclear.launch, won.ended, line, final=won.final)


def _keep_log(store: FlowStore, run: str, unclear: Unclear, log: str) -> LogRef:
    """What the runner kept before it died stays; otherwise the tail of the Pod's own log."""
    kept = _parts(store, run, unclear)
    if kept:
        return LogRef(parts=kept)
    writer = store.log_writer(run, unclear.key, unclear.launch)
    writer.write(unclear.ended, "o", log.encode()[-TAIL_BYTES:])
    return writer.close()


def _parts(store: FlowStore, run: str, unclear: Unclear) -> int:
    from reflow.store import layout

    folder = layout.run(store.flow, run).log(unclear.key, unclear.launch)
    return sum(1 for _ in store.objects.list(folder))
