"""Where everything is below a store's root: object keys, made and taken apart here alone."""

from __future__ import annotations

import re

from reflow.values.dataclass import dataclass
from reflow.values.errors import NotFound
from reflow.values.key import TaskKey

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,252}")
_RECORD = re.compile(r"(?P<id>[0-9.-]+)_(?:ok|fail(?P<attempt>[0-9]+))")
RESERVED = frozenset({"last"})  # names below runs/ that are no run's
SPIN = "spin-"  # what the ids of spins begin with: kept as runs are, and in no list of runs


@dataclass(frozen=True, slots=True)
class RecordName:
    """A record's object name taken apart. `attempt` is None for a result, a number for a failed attempt."""

    step: str
    id: str
    attempt: int | None


@dataclass(frozen=True, slots=True)
class RunLayout:
    """The keys of one run's objects. Every folder ends in `/`."""

    flow: str
    run: str

    @property
    def root(self) -> str:
        return f"{self.flow}/runs/{self.run}/"

    @property
    def manifest(self) -> str:
        return f"{self.root}manifest"

    @property
    def end(self) -> str:
        return f"{self.root}end"

    @property
    def alive(self) -> str:
        return f"{self.root}alive"

    @property
    def tags(self) -> str:
        """Where earlier versions of Reflow kept changed tags."""
        return f"{self.root}tags"

    @property
    def tagging(self) -> str:
        return f"{self.root}tagging/"

    @property
    def tasks(self) -> str:
        return f"{self.root}tasks/"

    @property
    def cards(self) -> str:
        return f"{self.root}cards/"

    @property
    def index(self) -> str:
        return f"{self.root}ledger/index/"

    def packs(self, step: str) -> str:
        return f"{self.root}ledger/packs/{step}/"

    def result(self, key: TaskKey) -> str:
        return f"{self.tasks}{key.step}/{key.id}_ok"

    def failure(self, key: TaskKey, attempt: int) -> str:
        return f"{self.tasks}{key.step}/{key.id}_fail{attempt}"

    def record_name(self, object_key: str) -> RecordName | None:
        """The parts of a record's key, or None where the object isn't a record."""
        step, _, name = object_key[len(self.tasks) :].partition("/")
        found = _RECORD.fullmatch(name)
        if not found:
            return None
        attempt = found["attempt"]
        return RecordName(step, found["id"], None if attempt is None else int(attempt))

    def log(self, key: TaskKey, launch: int) -> str:
        return f"{self.root}logs/{key.step}/{key.id}_{launch}/"


def blob(flow: str, sha256: str) -> str:
    return f"{flow}/blobs/{sha256[:2]}/{sha256}"


def blobs(flow: str) -> str:
    return f"{flow}/blobs/"


def code(flow: str, sha256: str) -> str:
    return f"{flow}/code/{sha256}"


def codes(flow: str) -> str:
    return f"{flow}/code/"


def graphs(flow: str) -> str:
    """Graphs that a Pod told of code before its run was claimed."""
    return f"{flow}/graphs/"


def sweeps(flow: str) -> str:
    """What gc says of itself: see `store.sweeps`."""
    return f"{flow}/gc/"


def catalog(flow: str) -> str:
    """What a list of runs shows of each: see `store.catalog`."""
    return f"{flow}/catalog/"


def runs(flow: str) -> str:
    return f"{flow}/runs/"


def is_spin(run_id: str) -> bool:
    """Whether this is one step's trial, rather than a run of the flow."""
    return run_id.startswith(SPIN)


def last_run(flow: str) -> str:
    """The hint for the next run id."""
    return f"{flow}/runs/last"


def run(flow: str, run_id: str) -> RunLayout:
    """Raises NotFound where no run can have that id."""
    if run_id in RESERVED or not _RUN_ID.fullmatch(run_id):
        raise NotFound(f"There is no run {flow}/{run_id}: {run_id!r} can't be a run's id.")
    return RunLayout(flow, run_id)


def run_id(value: object) -> str:
    """A run's id that was read. Raises ValueError."""
    if isinstance(value, str) and value not in RESERVED and _RUN_ID.fullmatch(value):
        return value
    raise ValueError(f"{value!r} can't be a run's id")
