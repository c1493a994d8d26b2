"""What the store keeps, as typed values. Their JSON and the object keys are in `store.formats` and
`store.layout`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from reflow.graph.types import Graph
from reflow.values.dataclass import dataclass, field
from reflow.values.key import TaskKey

FORMAT = 1  # of manifests and records; newer code reads older data, older code refuses newer
INLINE_LIMIT = 16 * 1024  # bytes of values that travel inside one record, in all
LOG_INLINE_LIMIT = 4 * 1024  # bytes of output that travel inside one record


class Status(StrEnum):
    """How an attempt ended. `CAUGHT`: failed, and `@catch` made it a finished task."""

    SUCCEEDED = "succeeded"
    CAUGHT = "caught"
    FAILED = "failed"

    @property
    def finished(self) -> bool:
        """Whether the task has its result."""
        return self is not Status.FAILED


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """A value: the hash and size of its pickle, its type's name for people. `inline` holds small ones
    whole.
    """

    sha256: str
    size: int
    type: str
    inline: bytes | None = None
    packages: tuple[str, ...] = ()  # top-level packages that the pickle refers to; versions are the record's


@dataclass(frozen=True, slots=True)
class ItemsRef:
    """A foreach's items: one pack (see `store.pack`), in a blob or inline, and the variable's name."""

    variable: str
    width: int
    sha256: str
    size: int
    inline: bytes | None = None


@dataclass(frozen=True, slots=True)
class ExceptionInfo:
    """What a failed attempt raised. `traceback`: the user's frames only; `full`: all of them."""

    type: str
    message: str
    traceback: str
    full: str = ""
    locals: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """One line: `ValueError: invalid literal …`."""
        text = f"{self.type}: {self.message}" if self.message else self.type
        return text.splitlines()[0]

    @property
    def exception(self) -> str:
        """The message, under Metaflow's name."""
        return self.message

    @property
    def stacktrace(self) -> str:
        """The traceback, under Metaflow's name."""
        return self.traceback

    def __str__(self) -> str:
        return self.traceback or self.line


@dataclass(frozen=True, slots=True)
class LogRef:
    """A task's output. Small: `inline`; else `parts` objects (see `store.logs`)."""

    inline: bytes | None = None
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One attempt of a task. With a finished status it commits the task: the first such record wins.

    `artifacts` are those that the task itself set; the rest are looked up through `base`: the parent
    whose table is this task's too (the split or foreach for a join that merged nothing has none: `base`
    is None). `base_depth` counts how many bases hang behind it; past BASE_DEPTH a record carries the
    whole table and has no base. `inherited` artifacts live in other records: name → (ref without inline
    bytes, key of the record that has it).
    """

    key: TaskKey
    attempt: int
    launch: int
    nonce: str
    status: Status
    started: float
    ended: float
    width: int | None = None
    case: str | None = None
    artifacts: Mapping[str, ArtifactRef] = field(default_factory=dict)
    inherited: Mapping[str, tuple[ArtifactRef, TaskKey]] = field(default_factory=dict)
    base: TaskKey | None = None
    base_depth: int = 0
    items: ItemsRef | None = None
    exception: ExceptionInfo | None = None
    log: LogRef = LogRef()
    python: str = ""  # "3.11.7"
    packages: Mapping[str, str] = field(default_factory=dict)  # top-level package → version
    host: str = ""  # host name or Pod name
    pid: int = 0
    final: bool = False  # failed for good, whatever the retry policy says


BASE_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Origin:
    """The run that this one resumes, and why it was picked."""

    run: str
    from_step: str | None = None


@dataclass(frozen=True, slots=True)
class CodeRef:
    """The run's code. `sha256` names `code/<sha256>`, a zip package, or None where the code is in the image.

    `script`: the flow file's path within the package, or in the image. `alias`: run with `metaflow`
    meaning `reflow`.
    """

    script: str
    sha256: str | None = None
    alias: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """A run, claimed by putting this if absent. `owner`: the UID of who claimed it (a FlowRun's, or a
    random one).

    `clones`: which tasks are taken from other runs: origin run → their keys; reads of these go through to
    that run. Chains are flattened: each key is listed under the run that truly holds its record.
    `parameters`: JSON values. `request`: the spec that a FlowRun asked with, without its code: what a
    resume needs where the object is gone.
    """

    flow: str
    run: str
    owner: str
    created: float
    graph: Graph
    digest: str  # of the graph
    code: CodeRef
    parameters: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin | None = None
    clones: Mapping[str, tuple[TaskKey, ...]] = field(default_factory=dict)
    user: str = ""
    tags: tuple[str, ...] = ()
    python: str = ""
    place: str = "local"  # "local" or "cluster"
    request: Mapping[str, Any] = field(default_factory=dict)
    configs: Mapping[str, Any] = field(default_factory=dict)  # JSON values by name
    project: Mapping[str, Any] = field(default_factory=dict)  # `@project`: its name, branch, production
    environments: Mapping[str, Any] = field(default_factory=dict)  # of steps: see `environments.lock`


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended, written once by its scheduler."""

    succeeded: bool
    ended: float
    failed_step: str | None = None
    failed_task: str | None = None  # "step/id"
    message: str = ""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A finished or finally failed task in the ledger's index: all that scheduling, listing and cloning
    read.
    """

    key: TaskKey
    attempt: int
    status: Status
    width: int | None = None
    case: str | None = None
