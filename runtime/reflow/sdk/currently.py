"""`current`: what a step can know about the task that runs it. The one global of a task's process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reflow.graph.types import Graph
from reflow.values.dataclass import dataclass, field
from reflow.values.key import TaskKey, pathspec

if TYPE_CHECKING:
    from reflow.store.objects import ObjectStore


class Made:
    """Stands for a value that is made when it's first asked for."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


@dataclass(frozen=True, slots=True)
class Running:
    """The facts of the task that this process runs. `make_tempdir`: makes the task's own folder when first asked."""

    flow: str
    run: str
    key: TaskKey
    attempt: int
    graph: Graph
    origin_run: str | None = None
    user: str = ""
    namespace: str = ""
    tags: tuple[str, ...] = ()
    parameter_names: tuple[str, ...] = ()
    make_tempdir: Callable[[], str | None] = lambda: None
    extras: Mapping[str, Any] = field(default_factory=dict)
    store: ObjectStore | None = None  # which the Client reads in the step


class Current:
    """Everything is None, or empty, where no task runs. Where a run is prepared, functions that make the defaults of
    parameters find the flow's name, its user and its project."""

    __slots__ = ("_preparing", "_running")

    def __init__(self) -> None:
        self._running: Running | None = None
        self._preparing: Mapping[str, Any] = {}

    @property
    def is_running_flow(self) -> bool:
        """Whether this process runs a task."""
        return self._running is not None

    @property
    def flow_name(self) -> str | None:
        """The flow's name."""
        return self._running.flow if self._running else self._preparing.get("flow_name")

    @property
    def run_id(self) -> str | None:
        """The run's id."""
        return self._running.run if self._running else None

    @property
    def step_name(self) -> str | None:
        """The step's name."""
        return self._running.key.step if self._running else None

    @property
    def task_id(self) -> str | None:
        """The task's id, unique within its step."""
        return self._running.key.id if self._running else None

    @property
    def pathspec(self) -> str | None:
        """`Flow/run/step/task`."""
        return pathspec(self._running.flow, self._running.run, self._running.key) if self._running else None

    @property
    def retry_count(self) -> int:
        """How many attempts of this task failed before this one."""
        return self._running.attempt if self._running else 0

    @property
    def origin_run_id(self) -> str | None:
        """The run that this one resumes; None in a plain run."""
        return self._running.origin_run if self._running else None

    @property
    def namespace(self) -> str | None:
        """The namespace that the Client uses here."""
        return self._running.namespace if self._running else self._preparing.get("namespace")

    @property
    def username(self) -> str | None:
        """Who started the run."""
        return self._running.user if self._running else self._preparing.get("username")

    @property
    def tags(self) -> set[str]:
        """The tags that the run was started with."""
        return set(self._running.tags) if self._running else set()

    @property
    def parameter_names(self) -> list[str]:
        """The flow's parameters."""
        return list(self._running.parameter_names) if self._running else []

    @property
    def graph(self) -> Graph | None:
        """The flow's graph."""
        return self._running.graph if self._running else None

    @property
    def tempdir(self) -> str | None:
        """A folder of this task's own, removed after its end."""
        return self._running.make_tempdir() if self._running else None

    def get(self, name: str, default: Any = None) -> Any:
        """The attribute's value, or the default where there's none."""
        return getattr(self, name, default)

    def __contains__(self, name: str) -> bool:
        return name in self._extras() or hasattr(type(self), name)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._extras():
            value = self._extras()[name]
            return value.make() if isinstance(value, Made) else value
        raise AttributeError(f"current has no {name!r} here.")

    def _extras(self) -> Mapping[str, Any]:
        return self._running.extras if self._running is not None else self._preparing

    def __repr__(self) -> str:
        return f"<current: {self.pathspec or 'no task'}>"


current = Current()


def set_running(running: Running | None) -> None:
    """Say which task this process runs: called once by the task's process."""
    current._running = running


def set_preparing(flow: str, user: str, project: Mapping[str, Any]) -> None:
    """Say which flow a run is prepared of, before its parameters' defaults are made."""
    current._preparing = {"flow_name": flow, "username": user, "namespace": f"user:{user}", **project}


def running_store() -> ObjectStore | None:
    """The store of the task that this process runs; None where it runs none."""
    return current._running.store if current._running else None
