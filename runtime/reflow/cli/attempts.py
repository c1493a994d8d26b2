"""Which attempts a command shows: of one task, or of each task of a step, cloned ones as their origin left them."""

from __future__ import annotations

from collections.abc import Iterator

from reflow.cli.target import Path4
from reflow.client.ids import parse_key
from reflow.store import layout
from reflow.store.flowstore import FlowStore
from reflow.store.values import Record
from reflow.values.dataclass import dataclass
from reflow.values.errors import NotFound
from reflow.values.key import TaskKey
from reflow.values.similar import did_you_mean

_AT_ONCE = 500  # tasks whose records are held


@dataclass(frozen=True, slots=True)
class Shown:
    """An attempt: `record` is None where it has left none yet, and `launch` says which start of it is meant."""

    key: TaskKey
    record: Record | None
    launch: int


def shown(store: FlowStore, path: Path4, attempt: int | None) -> Iterator[Shown]:
    """The attempt with this number, or each task's result, or its latest attempt. Raises NotFound."""
    if path.task is None:
        yield from _of_step(store, path, attempt)
        return
    key = parse_key(store.manifest(path.run), path.step or "", path.task)
    yield _numbered(store, path.run, key, attempt) if attempt is not None else _latest(store, path.run, key)


def _of_step(store: FlowStore, path: Path4, attempt: int | None) -> Iterator[Shown]:
    step = path.step or ""
    steps = store.manifest(path.run).graph.steps
    if step not in steps:
        raise NotFound(
            f"The run {path.flow}/{path.run} has no step {step}{did_you_mean(step, steps)}; "
            f"its steps are {', '.join(steps)}."
        )
    entries = sorted((e for e in store.index(path.run) if e.key.step == step), key=lambda e: e.key)
    running = sorted(_launches(store, path.run, step).keys() - {entry.key.id for entry in entries})
    if not entries and not running:
        raise NotFound(f"The step {path.flow}/{path.run}/{step} has no task yet.")
    for start in range(0, len(entries), _AT_ONCE):
        part = entries[start : start + _AT_ONCE]
        done = [entry.key for entry in part if entry.status.finished and attempt is None]
        records = {record.key: record for record in store.records(path.run, step, done)}
        for entry in part:
            record = records.get(entry.key)
            if record:
                yield Shown(entry.key, record, record.launch)
            elif attempt is None or entry.attempt >= attempt:
                yield from shown(store, Path4(path.flow, path.run, step, entry.key.id), attempt)
    for task in running:
        if attempt is None:
            yield from shown(store, Path4(path.flow, path.run, step, task), None)


def _numbered(store: FlowStore, run: str, key: TaskKey, attempt: int) -> Shown:
    result = store.result(run, key)
    records = [*store.failures(run, key), *([result] if result else [])]
    for record in records:
        if record.attempt == attempt:
            return Shown(key, record, record.launch)
    there = ", ".join(str(record.attempt) for record in records) or "none that has ended"
    raise NotFound(f"The task {store.flow}/{run}/{key.path} has no attempt {attempt}; it has {there}.")


def _latest(store: FlowStore, run: str, key: TaskKey) -> Shown:
    record = store.result(run, key) or next(iter(store.failures(run, key)[-1:]), None)
    launch = _launches(store, run, key.step, key.id).get(key.id)
    if record and (record.status.finished or launch is None or launch <= record.launch):
        return Shown(key, record, record.launch)
    if launch is None:
        raise NotFound(f"The task {store.flow}/{run}/{key.path} isn't there, or has left nothing yet.")
    return Shown(key, None, launch)


def _launches(store: FlowStore, run: str, step: str, task: str = "") -> dict[str, int]:
    """Each task's latest launch that has left output in the store: little of it travels in records only."""
    folder = f"{layout.run(store.flow, run).root}logs/{step}/"
    found: dict[str, int] = {}
    for info in store.objects.list(f"{folder}{task}_" if task else folder):
        name = info.key[len(folder) :].partition("/")[0]
        task_id, _, launch = name.rpartition("_")
        if launch.isdecimal():
            found[task_id] = max(int(launch), found.get(task_id, 0))
    return found
