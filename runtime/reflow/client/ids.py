"""A task's id, taken apart again by the help of the run's graph."""

from __future__ import annotations

from reflow.client.errors import MetaflowNotFound
from reflow.store.values import Manifest
from reflow.values.key import TaskKey


def parse_key(manifest: Manifest, step: str, task: str) -> TaskKey:
    """The key of `step/17-3.2`. Raises MetaflowNotFound where the run has no such step or no task can
    have that id.
    """
    found = manifest.graph.steps.get(step)
    if found is None:
        steps = ", ".join(manifest.graph.steps)
        raise MetaflowNotFound(
            f"The run {manifest.flow}/{manifest.run} has no step {step}; its steps are {steps}."
        )
    head, *loop = task.split(".")
    foreach = head.split("-") if found.foreach_scope else []
    try:
        key = TaskKey(step, tuple(map(int, foreach)), tuple(map(int, loop)))
    except ValueError:
        key = None
    if key is None or key.id != task or len(key.foreach) != len(found.foreach_scope):
        raise MetaflowNotFound(f"The step {manifest.flow}/{manifest.run}/{step} has no task {task!r}.")
    return key
