"""A flow's script, a store in a folder, and the tasks of a run as real processes, told when to start by the engine."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reflow.engine.events import Failed, Lost, Start, Succeeded
from reflow.engine.state import RunState
from reflow.graph.build import from_text
from reflow.graph.digest import digest
from reflow.graph.policy import policies_of
from reflow.store.flowstore import FlowStore
from reflow.store.open import open_store
from reflow.store.values import CodeRef, Manifest, Record
from reflow.task.spawn import FreshProcess, Spawner
from reflow.task.spec import TaskSpec
from reflow.task.supervise import Event, OutputLine, Supervisor, TaskEnded, TaskLost, TaskStarted
from reflow.values.key import TaskKey

HEAD = """
from reflow import FlowSpec, JSONType, Parameter, catch, current, environment, retry, step, timeout
"""
LONGEST = 60.0  # seconds for a whole run of a test


@dataclass
class Ran:
    """What happened in a run."""

    store: FlowStore
    manifest: Manifest
    events: list[Event] = field(default_factory=list)
    outcome: str = ""

    def output(self, step: str | None = None, stream: str | None = None) -> list[str]:
        """The lines that the tasks of a step wrote."""
        return [
            event.text
            for event in self.events
            if isinstance(event, OutputLine)
            and step in (None, event.key.step)
            and stream in (None, event.stream)
        ]

    def record(self, step: str, foreach: tuple[int, ...] = (), loop: tuple[int, ...] = ()) -> Record:
        """The last record of a task's attempts."""
        key = TaskKey(step, foreach, loop)
        ends = [event.winner for event in self.events if isinstance(event, TaskEnded) and event.key == key]
        assert ends, f"{key} has no end in {self.events}"
        return ends[-1]

    def value(self, step: str, name: str, foreach: tuple[int, ...] = ()) -> Any:
        """An artifact that a task sees."""
        table = self.store.table(self.manifest.run, self.record(step, foreach))
        return self.store.load(table[name], name=name)

    def lost(self) -> list[TaskLost]:
        """The launches that don't count."""
        return [event for event in self.events if isinstance(event, TaskLost)]

    def started(self) -> list[TaskStarted]:
        """The processes that there were."""
        return [event for event in self.events if isinstance(event, TaskStarted)]


class Scene:
    """One script and one store."""

    def __init__(self, folder: Path, source: str) -> None:
        self.script = folder / "flow.py"
        self.script.write_text(HEAD + textwrap.dedent(source))
        self.graph = from_text(self.script.read_text(), str(self.script)).graph
        self.policies = policies_of(self.graph)
        self.store = FlowStore(open_store(str(folder / "store")), self.graph.flow)

    def claim(self, **parameters: Any) -> Manifest:
        """A new run's manifest."""
        return self.store.claim(
            lambda run: Manifest(
                flow=self.graph.flow,
                run=run,
                owner=f"test-{time.monotonic_ns()}",
                created=time.time(),
                graph=self.graph,
                digest=digest(self.graph),
                code=CodeRef(script=str(self.script)),
                parameters=parameters,
                user="tester",
                tags=("blue",),
            )
        )

    def spec(self, manifest: Manifest, start: Start, **changes: Any) -> TaskSpec:
        """What a task's process is told."""
        told: dict[str, Any] = {
            "store": self.store.objects.url,
            "flow": manifest.flow,
            "run": manifest.run,
            "key": start.key,
            "script": str(self.script),
            "digest": manifest.digest,
            "attempt": start.attempt,
            "launch": start.launch,
            "fallback": start.fallback,
            "timeout": self.policies[start.key.step].timeout,
            "user": "tester",
        }
        return TaskSpec(**{**told, **changes})

    def run(
        self,
        spawner: Spawner | None = None,
        *,
        watch: Callable[[Supervisor, Event], None] = lambda supervisor, event: None,
        changes: dict[str, Any] | None = None,
        **parameters: Any,
    ) -> Ran:
        """Run the flow to its end, or its first failure. `watch`: sees each event as it comes."""
        manifest = self.claim(**parameters)
        ran = Ran(self.store, manifest)
        state, starts = RunState.begin(self.graph, self.policies)
        until = time.monotonic() + LONGEST
        with spawner or FreshProcess() as spawning, Supervisor(self.store, manifest.run) as supervisor:
            self._launch(supervisor, spawning, manifest, starts, changes)
            while True:
                assert time.monotonic() < until, f"the run takes too long: {ran.events}"
                events = supervisor.poll(0.5 if supervisor.running else 0)
                if not events and not supervisor.running:
                    break
                for event in events:
                    ran.events.append(event)
                    watch(supervisor, event)
                    self._launch(supervisor, spawning, manifest, _next(state, event), changes)
        ran.outcome = str(state.outcome)
        return ran

    def _launch(
        self,
        supervisor: Supervisor,
        spawner: Spawner,
        manifest: Manifest,
        starts: Iterable[Start],
        changes: dict[str, Any] | None,
    ) -> None:
        for start in starts:
            supervisor.start(self.spec(manifest, start, **(changes or {})), spawner)


def _next(state: RunState, event: Event) -> Iterable[Start]:
    match event:
        case TaskEnded(winner=won):
            if won.status.finished:
                return state.apply(Succeeded(won.key, won.width, won.case))
            line = won.exception.line if won.exception else ""
            return state.apply(Failed(won.key, won.attempt, won.launch, 0.0, line, won.final))
        case TaskLost(key=key, attempt=attempt, launch=launch, message=message):
            state.apply(Lost(key, attempt, launch, message))
    return ()
