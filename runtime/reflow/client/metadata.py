"""What is known about a task besides its artifacts, under Metaflow's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reflow.sdk.exceptions import DEATHS
from reflow.store.values import Record, Status

if TYPE_CHECKING:
    from reflow.client.task import Task


class Metadatum(NamedTuple):
    """Something that is known about a task. `created_at`: milliseconds since the epoch, as in Metaflow."""

    name: str
    value: str
    created_at: int
    type: str
    task: Any


def metadata_of(task: Task) -> list[Metadatum]:
    """All of it; of earlier attempts, that they were, and failed."""
    earlier = _earlier(task)
    found = [_of(task, "attempt", str(one.attempt), one) for one in earlier]
    found += [_of(task, "attempt_ok", "False", one) for one in earlier]
    return found + [_of(task, name, value, task._record) for name, value in facts_of(task).items()]


def _earlier(task: Task) -> list[Record]:
    """The attempts that failed before the one that is shown, unless just that was asked for."""
    if task._attempt is not None or not task._record.attempt:
        return []
    failures = task._store.failures(task._run, task._key)
    return [record for record in failures if record.attempt < attempt_of(task)]


def attempt_of(task: Task) -> int:
    """The attempt that gave the result. In Metaflow a failure that `@catch` lets pass is the same attempt's, unless
    its process died: then another one does it."""
    record = task._record
    if record.status is Status.CAUGHT and record.exception and record.exception.type not in DEATHS:
        return max(0, record.attempt - 1)
    return record.attempt


def _of(task: Task, name: str, value: str, record: Record) -> Metadatum:
    kind = "internal_attempt_status" if name == "attempt_ok" else name
    return Metadatum(name, value, int(record.ended * 1000), kind, task)


def facts_of(task: Task) -> dict[str, str]:
    """The attempt that is shown, by name."""
    record, manifest, url = task._record, task._manifest, task._place.url
    found = {
        "attempt": str(attempt_of(task)),
        "attempt_ok": str(record.status.finished),
        "attempt-done": str(attempt_of(task)),
        "status": record.status.value,
        "launch": str(record.launch),
        "host": record.host,
        "pid": str(record.pid or ""),
        "python_version": record.python,
        "switch_case": record.case or "",
        "foreach_width": "" if record.width is None else str(record.width),
        "user": manifest.user,
        "runtime": task.runtime_name,
        "script-name": manifest.code.script.rpartition("/")[2],
        "ds-type": url.partition("://")[0] if "://" in url else "local",
        "ds-root": url.partition("?")[0],
        "origin-run-id": manifest.origin.run if manifest.origin else "",
        "origin-task-id": task.id if task.origin_pathspec else "",
    }
    return {name: value for name, value in found.items() if value}
