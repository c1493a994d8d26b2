"""What a task's process is told. Everything else it reads from the store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reflow.values.dataclass import dataclass, fields
from reflow.values.errors import NewerFormat, UsageError
from reflow.values.key import TaskKey
from reflow.values.limits import DEFAULT_MAX_NUM_SPLITS

FORMAT = 1


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One launch of a task.

    `store`: the store's address, without keys; "" in a Pod means the one that its Secret names. `script`: the flow's
    file as the user gave it, relative to the working directory, or within the code package `code` (its sha256).
    `shown`: its name in tracebacks, where that is another.
    `digest`: of the graph that the run was started with. `flow_class`: the class's name where it isn't `flow`.
    `timeout`: seconds for this attempt. `fallback`: the attempt after a caught last failure: no user code runs.
    `terminal`: the run lends its terminal to a debugger; `post_mortem`: pdb opens where the step raises;
    `full_traceback`: with Reflow's own frames. `python`: the interpreter of the step's own environment, "" where it
    has none, and `runtime`: the folder in which that one finds Reflow. `archives`: in a Pod, those of the step's
    packages, of which one fits the image; `packages`: the folder that it was unpacked into.
    `given`: a file of artifacts that a spin has in place of those of its inputs.
    """

    store: str
    flow: str
    run: str
    key: TaskKey
    script: str
    digest: str
    attempt: int = 0
    launch: int = 0
    fallback: bool = False
    code: str | None = None
    alias: bool = False
    max_num_splits: int = DEFAULT_MAX_NUM_SPLITS
    timeout: float | None = None
    user: str = ""
    namespace: str = ""
    shown: str = ""
    terminal: bool = False
    post_mortem: bool = False
    full_traceback: bool = False
    python: str = ""
    runtime: str = ""
    archives: Sequence[Sequence[Any]] = ()
    packages: str = ""
    given: str = ""

    def to_json(self) -> dict[str, Any]:
        """Values at their default are left out."""
        found: dict[str, Any] = {"v": FORMAT, "step": self.key.step}
        if self.key.foreach:
            found["foreach"] = list(self.key.foreach)
        if self.key.loop:
            found["loop"] = list(self.key.loop)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "key" and value != field.default:
                found[field.name] = value
        return found

    def to_text(self) -> str:
        """As the environment of a task's process carries it."""
        return json.dumps(self.to_json(), separators=(",", ":"))

    @staticmethod
    def from_json(found: Mapping[str, Any]) -> TaskSpec:
        """Unknown names are ignored. Raises UsageError, NewerFormat."""
        try:
            if found["v"] > FORMAT:
                raise NewerFormat(
                    f"The task's description has format {found['v']}; this Reflow reads up to {FORMAT}. "
                    "The runtime in the task's image is older than what started it."
                )
            key = TaskKey(found["step"], tuple(found.get("foreach", ())), tuple(found.get("loop", ())))
            names = {field.name for field in fields(TaskSpec)} - {"key"}
            return TaskSpec(key=key, **{name: value for name, value in found.items() if name in names})
        except (KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"The task's description lacks or garbles {error}.") from None

    @staticmethod
    def from_text(text: str) -> TaskSpec:
        """Raises UsageError, NewerFormat."""
        try:
            found = json.loads(text)
        except ValueError as error:
            raise UsageError(f"The task's description isn't JSON: {error}.") from None
        return TaskSpec.from_json(found)
