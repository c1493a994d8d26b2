"""What all tasks of a run read, read once by the fork server, so that each forked task finds it in its memory.

Only for a store in a folder: a connection must not be shared by a fork.
"""

from __future__ import annotations

import os
from contextlib import suppress

from reflow.graph.types import Graph
from reflow.sdk.artifacts import Records
from reflow.store.flowstore import FlowStore
from reflow.store.values import Manifest
from reflow.task.access import SECRET, open_store_of
from reflow.task.parents import parent_of
from reflow.task.spec import TaskSpec
from reflow.values.dataclass import dataclass
from reflow.values.errors import ReflowError


@dataclass(frozen=True, slots=True)
class Ground:
    """An opened store, the run's manifest, and records that its tasks are likely to ask for."""

    store: FlowStore
    manifest: Manifest
    records: Records


class GroundKeeper:
    """Has the ground of the run that is being served."""

    def __init__(self) -> None:
        self._ground: Ground | None = None
        self._of: tuple[str, str, str] | None = None

    def ground_for(self, spec: TaskSpec) -> Ground | None:
        """None where the task had better read for itself, and tell what goes wrong. Never raises."""
        with suppress(ReflowError):
            if self._of != (spec.store, spec.flow, spec.run):
                self._ground = _ground(spec)
                self._of = (spec.store, spec.flow, spec.run)
            if self._ground is not None:
                _import_for(self._ground.manifest.graph, spec.key.step)
                _read_shared_parent(self._ground, spec)
            return self._ground
        return None


def _ground(spec: TaskSpec) -> Ground | None:
    if not spec.store or "://" in spec.store or os.environ.get(SECRET):
        return None
    store = FlowStore(open_store_of(spec), spec.flow)
    return Ground(store, store.manifest(spec.run), Records(store, spec.run))


def _import_for(graph: Graph, step: str) -> None:
    """What a step with cards needs, so that not each of its tasks imports it."""
    found = graph.steps.get(step)
    if found is not None and any(one.name == "card" for one in found.decorators):
        import reflow.cards.default
        import reflow.client.task
        import reflow.task.cards  # noqa: F401


def _read_shared_parent(ground: Ground, spec: TaskSpec) -> None:
    """The parent of a foreach's tasks is one for all of them."""
    graph, key = ground.manifest.graph, spec.key
    step = graph.steps.get(key.step)
    if step is None or step.is_join or not key.foreach:
        return
    if any(key.step in graph.steps[split].targets for split in step.foreach_scope[-1:]):
        parent_of(graph, ground.records, key)
