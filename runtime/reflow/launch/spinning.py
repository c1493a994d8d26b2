"""`spin`: one task of an earlier run again, alone, with that run's inputs and the code as it is now.

A spin is kept as a run of its own, `spin-1`, `spin-2`, …, that no list of runs shows and no resume takes up by itself:
it clones what comes before its step, so its task finds its inputs as in a resume, and it runs that task and nothing
after it.
"""

from __future__ import annotations

from collections.abc import Callable

from reflow.engine.events import Failed, Lost, Start, Succeeded, TaskEnd
from reflow.engine.state import Failure, Outcome
from reflow.graph.types import PARALLEL, Graph
from reflow.launch.holding import hold
from reflow.launch.listening import Listener
from reflow.launch.locally import Place, carry_out, keep_code, spawner_of
from reflow.launch.preparing import prepare, reachable
from reflow.launch.request import RunRequest, resume_manifest
from reflow.launch.resuming import ResumePlan, held_by
from reflow.sdk.artifacts import Records
from reflow.sdk.foreach import foreach_key
from reflow.sdk.includefile import keep_files
from reflow.store import layout
from reflow.store.errors import RunExists
from reflow.store.flowstore import FlowStore
from reflow.store.layout import SPIN
from reflow.store.values import Manifest, RunEnd
from reflow.task.parents import join_keys, parent_of
from reflow.values.dataclass import dataclass, replace
from reflow.values.errors import FlowError, NotFound
from reflow.values.key import TaskKey


@dataclass(frozen=True, slots=True)
class Spin:
    """`origin`: the run whose inputs the task `key` gets; `keep`: whether what it leaves stays in the store."""

    origin: Manifest
    key: TaskKey
    keep: bool = True


class OneTask:
    """Stands for the engine's state where there's one task, one attempt, and nothing after it."""

    def __init__(self) -> None:
        self.outcome = Outcome.RUNNING
        self.failure: Failure | None = None

    def apply(self, end: TaskEnd) -> tuple[Start, ...]:
        """As RunState's: nothing starts after it."""
        match end:
            case Succeeded():
                self.outcome = Outcome.SUCCEEDED
            case Failed(key=key, attempt=attempt, message=message, ended=ended):
                self._fails(Failure(key, attempt, message, ended))
            case Lost(key=key, attempt=attempt, message=message, ended=ended):
                self._fails(Failure(key, attempt, message, ended))
        return ()

    def _fails(self, failure: Failure) -> None:
        self.outcome, self.failure = Outcome.FAILED, failure


def inputs_of(store: FlowStore, origin: Manifest, graph: Graph, key: TaskKey) -> tuple[TaskKey, ...]:
    """The tasks that `key` takes its input from, all finished. Raises NotFound where one isn't, FlowError for a step
    that can't be run alone."""
    check_alone(graph, key.step)
    records = Records(store, origin.run)
    for depth, index in enumerate(key.foreach):
        source = records.get(foreach_key(graph, key, depth))
        if index >= (source.width or 0):
            raise NotFound(
                f"There is no task {key.path} in run {origin.run}: {source.key.path} led to {source.width or 0} tasks, "
                f"which are counted from 0."
            )
    if not graph.steps[key.step].is_join:
        parent = parent_of(graph, records, key)
        return (parent.key,) if parent else ()
    keys = join_keys(graph, records, key)
    finished = {entry.key for entry in store.index(origin.run) if entry.status.finished}
    for one in keys:
        if one not in finished:
            raise NotFound(
                f"{key.path} joins {one.path}, which hasn't finished in run {origin.run}: resume that run first."
            )
    return tuple(keys)


def check_alone(graph: Graph, step: str) -> None:
    """Raises FlowError for a step of a gang: its tasks wait for each other."""
    for source in graph.sources[step]:
        if graph.steps[source].foreach == PARALLEL:
            raise FlowError(
                f"Step {step} is @parallel: its tasks run together, so none of them can be spun alone."
            )


def clones_of(store: FlowStore, origin: Manifest, graph: Graph, key: TaskKey) -> ResumePlan:
    """All finished tasks of the origin that the task may read: not itself, nor what comes only after its step."""
    before = ancestors(graph, key.step)
    after = reachable(graph, graph.steps[key.step].targets) | {key.step}
    left_out = after - before
    keys = [
        entry.key
        for entry in store.index(origin.run)
        if entry.status.finished and entry.key != key and entry.key.step not in left_out
    ]
    return ResumePlan(clones=held_by(origin, keys), ends=(), again=())


def ancestors(graph: Graph, step: str) -> set[str]:
    """The steps that lead to it; in a loop it is one of them itself."""
    found: set[str] = set()
    open_steps = list(graph.sources[step])
    while open_steps:
        one = open_steps.pop()
        if one not in found:
            found.add(one)
            open_steps += graph.sources[one]
    return found


def spin_locally(
    request: RunRequest, place: Place, store: FlowStore, listener: Listener, spin: Spin
) -> RunEnd:
    """Run the one task. Raises ReflowError, before anything is written, where it can't start."""
    with spawner_of(request) as spawner:
        prepared = prepare(
            request.flow, listener.preparing, origin=spin.origin.environments, running={spin.key.step}
        )
        request = replace(request, parameters=keep_files(store, request.parameters))
        code = keep_code(store, request.flow, alias=request.flow.alias or spin.origin.code.alias)
        plan = clones_of(store, spin.origin, request.flow.graph, spin.key)

        def make(run: str) -> Manifest:
            made = resume_manifest(request, run, code, spin.origin, plan, spin.key.step, prepared.kept)
            return replace(made, parameters={**made.parameters, **request.parameters}, tags=request.tags)

        manifest = claim_spin(store, make)
        hold(store, manifest)
        request.on_claim(manifest)
        listener.run_starting(manifest)
        start = Start(spin.key, attempt=0, launch=0)
        try:
            return carry_out(
                request, place, store, manifest, OneTask(), (start,), listener, spawner, prepared
            )
        finally:
            if not spin.keep:
                forget(store, manifest.run)


def claim_spin(store: FlowStore, make: Callable[[str], Manifest]) -> Manifest:
    """Claim the next `spin-N` of the flow."""
    number = next((int(name.removeprefix(SPIN)) for name in store.spins()), 0)
    while True:
        number += 1
        try:
            return store.claim(make, f"{SPIN}{number}")
        except RunExists:
            continue


def forget(store: FlowStore, run: str) -> None:
    """Delete what the spin left, its manifest last."""
    where = layout.run(store.flow, run)
    rest = [info.key for info in store.objects.list(where.root) if info.key != where.manifest]
    store.objects.delete(rest)
    store.objects.delete([where.manifest])
