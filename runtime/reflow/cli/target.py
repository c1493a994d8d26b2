"""Which store and flow a command means, and the names of runs and tasks as users write them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reflow.values.dataclass import dataclass
from reflow.values.errors import NotFound, UsageError

if TYPE_CHECKING:
    from reflow.cli.flow import FlowScript
    from reflow.launch.lastrun import LastRun
    from reflow.store.flowstore import FlowStore
    from reflow.store.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Path4:
    """`Flow/run/step/task`, or its beginning: what isn't named is None."""

    flow: str
    run: str
    step: str | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """`script`: the flow's, None for `reflow`, which takes flows by name; `store`: `--store`, if given."""

    script: FlowScript | None
    store: str | None

    @property
    def flow(self) -> str | None:
        """The script's flow."""
        return self.script.flow_class.__name__ if self.script else None

    @property
    def url(self) -> str:
        """The store's address."""
        from reflow.store.open import find_store

        script = self.script.path if self.script else None
        return find_store(self.store, script, Path.cwd(), os.environ).url

    def objects(self) -> ObjectStore:
        """The store, opened quickly, for a command that ends soon."""
        from reflow.store.open import open_store

        return open_store(self.url)

    def flow_store(self, flow: str) -> FlowStore:
        """One flow's part of it. Raises NotFound where it has none."""
        from reflow.store import layout
        from reflow.store.flowstore import FlowStore

        objects = self.objects()
        if "/" in flow or next(objects.list_folders(layout.runs(flow)), None) is None:
            raise NotFound(f"There is no run of a flow {flow} in the store {objects.url}.")
        return FlowStore(objects, flow)

    def path(self, text: str, *, parts: tuple[int, ...]) -> Path4:
        """A name of so many parts, the flow's left out where the script says it. Raises UsageError."""
        found = text.strip("/").split("/")
        if self.flow and (found[0] != self.flow or (len(found) + 1 in parts and len(found) not in parts)):
            found = [self.flow, *found]
        if len(found) not in parts or not all(found):
            raise UsageError(f"{text!r} should be of the form {_form(parts, with_flow=self.flow is None)}.")
        if self.flow and found[0] != self.flow:
            raise UsageError(f"{text!r} isn't of this script's flow, which is {self.flow}.")
        return Path4(*found)

    def run(self, text: str | None) -> Path4:
        """A run by its name, or the last one here. Raises UsageError, NotFound."""
        if text:
            return self.path(text, parts=(2,))
        if not self.flow:
            raise UsageError("Name a run: --run-id FLOW/RUN.")
        last = self.last_run()
        if last is None:
            raise NotFound(f"No run of {self.flow} was started here. Name one with --run-id.")
        return Path4(self.flow, last.run)

    def tasks(self, text: str) -> Path4:
        """Tasks by `RUN/STEP[/TASK]`; of a script's flow, `STEP[/TASK]` is of its last run here, which is told. Raises
        UsageError, NotFound."""
        step, *task = text.split("/")
        if len(task) <= 1 and self.has_step(step):
            return Path4(*self.told_last_run(), step, *task)
        return self.path(text, parts=(3, 4))

    def has_step(self, name: str) -> bool:
        """Whether the script's flow has a step of this name."""
        from reflow.sdk.steps import is_step

        return self.script is not None and is_step(getattr(self.script.flow_class, name, None))

    def told_last_run(self) -> tuple[str, str]:
        """The flow and its last run here, for commands that name none. Raises UsageError, NotFound."""
        found = self.run(None)
        print(f"Run {found.run}: the last one of {found.flow} here.", file=sys.stderr, flush=True)
        return found.flow, found.run

    def last_run(self) -> LastRun | None:
        """The last run of the script's flow here, in this store."""
        from reflow.launch.lastrun import nearest_memory, recall

        last = recall(nearest_memory(Path.cwd()), self.flow or "")
        return last if last and last.store == self.url else None


def _form(parts: tuple[int, ...], *, with_flow: bool) -> str:
    names = ["FLOW", "RUN", "STEP", "TASK"]
    first = 0 if with_flow else 1
    return " or ".join("/".join(names[first:count]) for count in parts)
