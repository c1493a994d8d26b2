"""What `current` knows besides the task itself: its project, and itself as the Client sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.graph.types import Graph
from reflow.sdk.currently import Made
from reflow.store.values import Manifest
from reflow.task.spec import TaskSpec


def extras_of(spec: TaskSpec, manifest: Manifest) -> Mapping[str, Any]:
    """By the names that `current` has for them; a function is called when its value is asked for."""
    found: dict[str, Any] = {
        "run": _client(spec, "Run", f"{spec.flow}/{spec.run}"),
        "task": _client(spec, "Task", f"{spec.flow}/{spec.run}/{spec.key.path}"),
    }
    found.update(manifest.project or _project(manifest.graph, spec.user or manifest.user))
    return found


def _project(graph: Graph, user: str) -> Mapping[str, Any]:
    if not graph.decorators:
        return {}
    from reflow.sdk.project import project_of

    return project_of(graph.flow, graph.decorators, user)


def _client(spec: TaskSpec, kind: str, pathspec: str) -> Made:
    """The Client's object, in the store that this task itself uses."""

    def make() -> Any:
        from reflow.client import Run, Task
        from reflow.client.place import Place
        from reflow.store.values import IndexEntry, Status
        from reflow.task.access import open_store_of

        objects = open_store_of(spec)
        place = Place(objects.url, objects)
        if kind == "Run":
            return Run(pathspec, _place=place, _any_namespace=True)
        running = IndexEntry(spec.key, spec.attempt, Status.FAILED)  # it has no record yet
        return Task(pathspec, _place=place, _entry=running)

    return Made(make)
