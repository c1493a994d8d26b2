"""What a resume takes over from its origin: the laptop's `resume` and the operator's Resume decide it here alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reflow.engine.clone import Again, plan_clone
from reflow.engine.events import Succeeded
from reflow.graph.types import Graph
from reflow.store.flowstore import FlowStore
from reflow.store.values import IndexEntry, Manifest
from reflow.values.dataclass import dataclass
from reflow.values.key import TaskKey


@dataclass(frozen=True, slots=True)
class ResumePlan:
    """`clones`: what the new manifest freezes, each key under the run that holds its record; `ends`: the same tasks as
    the engine wants them; `again`: what had finished and still runs again, with why."""

    clones: Mapping[str, tuple[TaskKey, ...]]
    ends: tuple[Succeeded, ...]
    again: tuple[Again, ...]


def plan_resume(store: FlowStore, origin: Manifest, graph: Graph, from_step: str | None) -> ResumePlan:
    """Read the origin's index (few requests, O(tasks)) and apply the clone rule to `graph`, the code as it is now.

    Raises FlowError where `from_step` is no step of `graph`.
    """
    finished = ends_of(store.index(origin.run))
    plan = plan_clone(origin.graph, graph, finished, from_step)
    return ResumePlan(
        clones=held_by(origin, (end.key for end in plan.cloned)), ends=plan.cloned, again=plan.again
    )


def ends_of(index: Iterable[IndexEntry]) -> tuple[Succeeded, ...]:
    """The finished tasks of an index."""
    return tuple(
        Succeeded(entry.key, width=entry.width, case=entry.case) for entry in index if entry.status.finished
    )


def held_by(origin: Manifest, keys: Iterable[TaskKey]) -> dict[str, tuple[TaskKey, ...]]:
    """Which run holds each task's record: chains of resumes are flattened, so that reads go through one run at most."""
    holder = {key: run for run, held in origin.clones.items() for key in held}
    grouped: dict[str, list[TaskKey]] = {}
    for key in keys:
        grouped.setdefault(holder.get(key, origin.run), []).append(key)
    return {run: tuple(held) for run, held in grouped.items()}
