"""What a flow object knows while its step runs, beside the artifacts themselves.

Light: whoever only looks at a flow imports this, and needs no store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reflow.graph.types import Graph, Step
    from reflow.sdk.artifacts import Artifacts, Records
    from reflow.sdk.transition import Transition
    from reflow.store.values import ArtifactRef
    from reflow.values.key import TaskKey


class TaskState:
    """One running step. `before`: the artifacts that it inherits, None in `start` and in joins."""

    def __init__(
        self,
        *,
        graph: Graph,
        key: TaskKey,
        parameters: Mapping[str, Any],
        records: Records,
        before: Artifacts | None,
    ) -> None:
        from reflow.sdk.foreach import ForeachFrames

        self.graph = graph
        self.key = key
        self.parameters = parameters
        self.records = records
        self.before = before
        self.frames = ForeachFrames(records, graph, key)
        self.transition: Transition | None = None
        self.merged: dict[str, tuple[ArtifactRef, TaskKey]] = {}
        self.loaded: dict[str, ArtifactRef] = {}
        """Inherited values that the step has in its hands, and may have changed in place."""
        self.flow: Any = None  # the step's `self`, once there is one
        self.deleted: set[str] = set()
        self.included: dict[str, Any] = {}
        """Contents of files that parameters stand for, as far as they were asked for."""

    def load_kept(self, name: str, ref: ArtifactRef) -> Any:
        """A value that the run's manifest refers to."""
        return self.records.store.load(ref, name=name)

    @property
    def step(self) -> Step:
        """The step that runs."""
        return self.graph.steps[self.key.step]

    def find(self, name: str) -> tuple[ArtifactRef, TaskKey] | None:
        """An inherited or merged artifact, without its value."""
        if name in self.deleted:
            return None
        if name in self.merged:
            return self.merged[name]
        return self.before.find(name) if self.before else None

    def load(self, name: str) -> Any:
        """An inherited or merged value. Raises KeyError where there's none."""
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        value = self.records.load(name, *found)
        self.loaded[name] = found[0]
        return value


class NoTask:
    """Stands for TaskState where a flow object is made outside of a task."""

    def __init__(self) -> None:
        self.parameters: Mapping[str, Any] = {}
        self.loaded: dict[str, ArtifactRef] = {}
        self.included: dict[str, Any] = {}

    def load_kept(self, name: str, ref: ArtifactRef) -> Any:
        """There is no store."""
        raise RuntimeError(f"self.{name} is there only in a running step.")
