"""A Pod's runner: `python3 -m reflow.task.pod`. Runs the one task that REFLOW_TASK describes, as a child of its own.

It asks first whether the task has a result, and then ends at once. SIGTERM means that the cluster wants the Pod gone:
the child is told to end, and unless it still succeeds, the launch is lost and counts against nobody.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from reflow.store.flowstore import FlowStore
from reflow.store.package import unpack
from reflow.store.values import ExceptionInfo, Record
from reflow.task import termination
from reflow.task.access import open_task_store
from reflow.task.child import SPEC
from reflow.task.execute import failed
from reflow.task.keeping import HereKeeper
from reflow.task.spawn import ForkHere
from reflow.task.spec import TaskSpec
from reflow.task.supervise import OutputLine, Supervisor, TaskEnded, TaskLost
from reflow.values.dataclass import replace
from reflow.values.errors import CorruptObject, NotFound, ReflowError, StoreUnreachable, UsageError

KILL_AFTER = 20.0  # seconds that a child has after SIGTERM; Kubernetes gives the Pod 30 by default


def main() -> None:
    """The exit code is 0 where the task has its result, else 1."""
    if sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[
            0
        ]  # `-m` puts the working directory there; the code package must not shadow what we import
    text = os.environ.pop(SPEC, "")
    try:
        found = json.loads(text or "null")
        if not isinstance(found, dict):
            raise UsageError(f"The environment's {SPEC} describes no task.")
        message = _graph(found) if found.get("op") == "graph" else PodRunner(TaskSpec.from_json(found)).run()
    except ReflowError as error:
        print(f"{error}", file=sys.stderr, flush=True)
        message = termination.of_loss(str(error), 0)
    termination.write(message)
    sys.stdout.flush()
    os._exit(0 if message["status"] in ("succeeded", "caught") else 1)


def _graph(found: dict[str, Any]) -> dict[str, Any]:
    from reflow.task.graphing import tell_graph

    return tell_graph(found)


class PodRunner:
    """One launch of one task, from looking for its result to the message that the Pod leaves."""

    def __init__(self, spec: TaskSpec) -> None:
        self._spec = spec
        self._store = FlowStore(open_task_store(spec.store), spec.flow)
        self._supervisor: Supervisor | None = None
        self._told_to_end = False

    def run(self) -> dict[str, Any]:
        """The termination message."""
        signal.signal(signal.SIGTERM, self._terminate)
        result = self._store.result(self._spec.run, self._spec.key)
        if result is not None:
            print("The task has its result already; this launch has nothing to do.", flush=True)
            return termination.of_record(result)
        fetch_code(self._store, self._spec)
        if self._spec.archives:
            from reflow.task.packages import fetch

            try:
                folder = fetch(self._store, self._spec.archives, self._spec.key.step)
            except StoreUnreachable:
                raise
            except ReflowError as error:
                return self._unfit(error)
            self._spec = replace(self._spec, packages=folder)
        if self._told_to_end:
            return termination.of_loss("the Pod was told to stop before its task began", self._spec.attempt)
        return self._supervise()

    def _unfit(self, error: ReflowError) -> dict[str, Any]:
        """Packages that this image can't use fail the task for good: no other Pod of it would fare better."""
        print(f"{error}", file=sys.stderr, flush=True)
        told = ExceptionInfo(type(error).__name__, str(error), f"{error}\n")
        record = failed(self._spec, told, time.time(), final=True)
        return termination.of_record(self._store.commit(self._spec.run, record))

    def _supervise(self) -> dict[str, Any]:
        with Supervisor(self._store, self._spec.run, HereKeeper(self._store)) as supervisor:
            self._supervisor = supervisor
            supervisor.start(self._spec, ForkHere())
            if self._told_to_end:
                supervisor.stop(self._spec.key, KILL_AFTER)
            while True:
                for event in supervisor.poll(5.0):
                    match event:
                        case OutputLine(stream=stream, text=text):
                            show(stream, text)
                        case TaskEnded(winner=winner, unloadable=unloadable):
                            return self._ended(winner, unloadable)
                        case TaskLost(message=why):
                            return termination.of_loss(self._why_lost(why), self._spec.attempt)

    def _ended(self, winner: Record, unloadable: bool) -> dict[str, Any]:
        return termination.of_record(winner, unloadable=unloadable)

    def _why_lost(self, why: str) -> str:
        return "the Pod was told to stop" if self._told_to_end else why

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        self._told_to_end = True
        if self._supervisor is not None:
            self._supervisor.stop(self._spec.key, KILL_AFTER)


def fetch_code(store: FlowStore, spec: TaskSpec) -> None:
    """Write the code package into the working directory. Code that is in the image has none."""
    if spec.code is None:
        return
    try:
        unpack(store.code(spec.code), spec.script, os.getcwd())
    except (NotFound, CorruptObject):
        raise
    except OSError as error:
        raise ReflowError(f"The code package can't be written into {os.getcwd()}: {error}.") from None


def show(stream: str, text: str) -> None:
    """Pass a line on to the Pod's own output. One that nobody reads is no reason to fail."""
    data = text.encode("utf-8", "replace") + b"\n"
    try:
        while data:
            data = data[os.write(1 if stream == "stdout" else 2, data) :]
    except OSError:
        return


if __name__ == "__main__":
    main()
