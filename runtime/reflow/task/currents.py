"""What `current` knows besides the task itself: its project, and itself as the Client sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.graph.types import PARALLEL, Graph, Step
from reflow.sdk.artifacts import Records
from reflow.sdk.currently import Made
from reflow.sdk.foreach import foreach_key
from reflow.store.values import Manifest
from reflow.task.spec import TaskSpec
from reflow.values.dataclass import dataclass
from reflow.values.key import TaskKey


def extras_of(spec: TaskSpec, manifest: Manifest, records: Records) -> dict[str, Any]:
    """By the names that `current` has for them; a function is called when its value is asked for."""
    found: dict[str, Any] = {
        "run": _client(spec, "Run", f"{spec.flow}/{spec.run}"),
        "task": _client(spec, "Task", f"{spec.flow}/{spec.run}/{spec.key.path}"),
    }
    if gang_of(manifest.graph, spec) is not None:
        found["parallel"] = Made(lambda: _parallel(spec, manifest.graph, records))
        found["is_parallel"] = True
    found.update(manifest.project or _project(manifest.graph, spec.user or manifest.user))
    return found


@dataclass(frozen=True, slots=True)
class Parallel:
    """`current.parallel`: a task's place in its gang. `node_index`: from 0, which is the control task's."""

    main_ip: str
    num_nodes: int
    node_index: int
    control_task_id: str


def gang_of(graph: Graph, spec: TaskSpec) -> Step | None:
    """The step that started the gang which the task is of."""
    if not spec.key.foreach:
        return None
    opener = graph.steps[graph.steps[spec.key.step].foreach_scope[-1]]
    return opener if opener.foreach == PARALLEL and spec.key.step in opener.targets else None


def _parallel(spec: TaskSpec, graph: Graph, records: Records) -> Parallel:
    key = spec.key
    opener = records.get(foreach_key(graph, key, len(key.foreach) - 1))
    control = TaskKey(key.step, (*key.foreach[:-1], 0), key.loop)
    return Parallel("127.0.0.1", opener.width or 1, key.foreach[-1], control.id)


def _project(graph: Graph, user: str) -> Mapping[str, Any]:
    if not graph.decorators:
        return {}
    from reflow.sdk.projects import project_of

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
            return Run(pathspec, _place=place, _namespace_check=False)
        running = IndexEntry(spec.key, spec.attempt, Status.FAILED)  # it has no record yet
        return Task(pathspec, _place=place, _entry=running, _namespace_check=False)

    return Made(make)
