"""One task of a run: its artifacts, its output, and how it went."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from typing import Any

from reflow.client import html, kin
from reflow.client.base import moment
from reflow.client.batch import Batch
from reflow.client.code import Code
from reflow.client.data import TaskData
from reflow.client.errors import MetaflowNotFound
from reflow.client.ids import parse_key
from reflow.client.metadata import Metadatum, facts_of, metadata_of
from reflow.client.output import whole_lines
from reflow.client.tags import runtime_of
from reflow.client.within import WithinRun
from reflow.environments.lock import told
from reflow.sdk.currently import current
from reflow.store.logs import Frame
from reflow.store.table import ArtifactTable
from reflow.store.values import ExceptionInfo, IndexEntry, Manifest, Record, Status

_STREAMS = {"stdout": "o", "stderr": "e"}


class Task(WithinRun):
    """A task that has finished or failed: its artifacts, by name. A cloned one shows what its origin left.

    `attempt`, from 0, shows one that failed before the result came; without it, the result is shown, or the latest
    that failed. Names that begin with `_` are left out, and found by `task["_name"]`.
    """

    _form = "Flow/run/step/task"
    _has_attempts = True

    def __init__(
        self,
        pathspec: str,
        attempt: int | None = None,
        *,
        _entry: IndexEntry | None = None,
        _batch: Batch | None = None,
        **options: Any,
    ) -> None:
        super().__init__(pathspec, attempt, **options)
        self._batch = _batch
        self._key = _entry.key if _entry else parse_key(self._manifest, self._parts[2], self.id)
        if _entry is None and current.pathspec != pathspec:  # a task that runs has no record yet
            _ = self._record
        self._check_namespace()

    @property
    def _manifest(self) -> Manifest:
        return self._store.manifest(self._run)

    @cached_property
    def _holder(self) -> str:
        """The run that holds the records and the output: another one for a clone."""
        return self._store.holder(self._run, self._key)

    @cached_property
    def _record(self) -> Record:
        """The result, else the latest failed attempt; or the attempt that was asked for. Raises MetaflowNotFound."""
        found = self._batch.record(self._key) if self._batch else None
        found = found or self._store.result(self._run, self._key)
        if found is not None and self._attempt in (None, found.attempt):
            return found
        failures = self._store.failures(self._run, self._key)
        if self._attempt is not None:
            return self._of_attempt(failures if found is None else [*failures, found])
        if not failures:
            raise MetaflowNotFound(
                f"The task {self.pathspec} isn't there, or has neither finished nor failed."
            )
        return failures[-1]

    def _of_attempt(self, records: Iterable[Record]) -> Record:
        by_attempt = {record.attempt: record for record in records}
        try:
            return by_attempt[self._attempt or 0]
        except KeyError:
            there = ", ".join(map(str, sorted(by_attempt))) or "none at all"
            raise MetaflowNotFound(
                f"The task {self.pathspec} has no attempt {self._attempt}; its attempts are: {there}."
            ) from None

    @cached_property
    def _table(self) -> ArtifactTable:
        if self._batch is not None:
            return self._batch.table(self._record)
        return self._store.table(self._run, self._record)

    @property
    def parent(self) -> Any:
        """The step."""
        from reflow.client.step import Step

        path = "/".join(self._parts[:3])
        return Step(path, _place=self._place, _namespace_check=False, _is_there=True)

    # Artifacts

    @cached_property
    def data(self) -> TaskData:
        """The artifacts as attributes, each loaded when it's asked for."""
        return TaskData(self._store, self._table, self.pathspec)

    @property
    def artifacts(self) -> Any:
        """The artifacts without their values: a tuple, and each as an attribute."""
        found = list(self)
        return namedtuple("Artifacts", [one.id for one in found], rename=True)(*found)

    def __iter__(self) -> Iterator[Any]:
        return (self._artifact(name) for name in sorted(self._table) if not name.startswith("_"))

    def _repr_html_(self) -> str:
        return html.of_task(self)

    def __getitem__(self, child: str) -> Any:
        try:
            return self._artifact(child)
        except MetaflowNotFound as error:
            raise KeyError(str(error)) from None

    def _artifact(self, name: str) -> Any:
        from reflow.client.artifact import DataArtifact

        return DataArtifact(
            f"{self.pathspec}/{name}", self._attempt, _task=self, _place=self._place, _namespace_check=False
        )

    def _must_have(self, name: str) -> None:
        if name not in self._table:
            names = ", ".join(sorted(self._table)) or "none at all"
            raise MetaflowNotFound(f"The task {self.pathspec} has no artifact {name}; it has {names}.")

    # How it went

    @property
    def successful(self) -> bool:
        """Whether the step went through. A failure that `@catch` let pass is none, as in Metaflow."""
        return self._record.status is Status.SUCCEEDED

    @property
    def finished(self) -> bool:
        """Whether the task has its result, and so the flow went on: it was successful, or `@catch` let it pass."""
        return self._record.status.finished

    @property
    def exception(self) -> ExceptionInfo | None:
        """What the attempt raised (type, message, traceback). None where it raised nothing, or `@catch` let it pass:
        then its artifact tells."""
        return None if self._record.status is Status.CAUGHT else self._record.exception

    @property
    def created_at(self) -> datetime:
        """When the attempt began."""
        return moment(self._record.started)

    @property
    def finished_at(self) -> datetime:
        """When the attempt ended."""
        return moment(self._record.ended)

    @property
    def current_attempt(self) -> int:
        """The attempt that is shown: the one with the result, else the latest that failed. From 0."""
        return self._record.attempt

    @property
    def index(self) -> int | None:
        """Its place in the innermost foreach, None outside of any."""
        return self._key.foreach[-1] if self._key.foreach else None

    @property
    def origin_pathspec(self) -> str | None:
        """The task that this one was cloned from, None for one that ran in this run."""
        if self._holder == self._run:
            return None
        return "/".join((self._parts[0], self._holder, *self._parts[2:]))

    @property
    def code(self) -> Code:
        """The code of the run in which the task ran."""
        return Code(self._store, self._store.manifest(self._holder))

    @property
    def runtime_name(self) -> str:
        """Where the task ran: `dev` on a laptop, `kubernetes` in a cluster."""
        return runtime_of(self._store.manifest(self._holder))

    @property
    def environment_info(self) -> dict[str, Any] | None:
        """The packages that the step ran with, where it has an environment of its own (`@pypi`, `@conda`)."""
        return told(self._store.manifest(self._holder).environments, self._parts[2])

    @property
    def metadata(self) -> list[Metadatum]:
        """What is known about the task besides its artifacts; of earlier attempts, that they were, and failed."""
        return metadata_of(self)

    @property
    def metadata_dict(self) -> dict[str, str]:
        """As `metadata`, by name. Names that Metaflow has too mean the same."""
        return facts_of(self)

    # Output

    @property
    def stdout(self) -> str:
        """What the task printed."""
        return self._text("o")

    @property
    def stderr(self) -> str:
        """What the task wrote to its standard error, tracebacks included."""
        return self._text("e")

    @property
    def stdout_size(self) -> int:
        """The size of `stdout` in bytes."""
        return sum(len(frame.data) for frame in self._frames("o"))

    @property
    def stderr_size(self) -> int:
        """The size of `stderr` in bytes."""
        return sum(len(frame.data) for frame in self._frames("e"))

    def loglines(
        self, stream: str, as_unicode: bool = True, meta_dict: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[datetime, str | bytes]]:
        """Time (UTC, without a zone) and text of each line of `stdout` or `stderr`, without the line's end.

        `meta_dict` is taken as in Metaflow, and not needed.
        """
        if stream not in _STREAMS:
            raise MetaflowNotFound(f"There is no stream {stream!r}: it is stdout or stderr.")
        for time, line in whole_lines(self._frames(_STREAMS[stream])):
            yield (
                datetime.fromtimestamp(time, UTC).replace(tzinfo=None),
                line.decode("utf-8", "replace") if as_unicode else line,
            )

    def _text(self, stream: str) -> str:
        return b"".join(frame.data for frame in self._frames(stream)).decode("utf-8", "replace")

    def _frames(self, stream: str) -> Iterator[Frame]:
        return (frame for frame in self._log() if frame.stream == stream)

    def _log(self) -> Iterator[Frame]:
        """A caught failure's own output is what the attempt printed that failed: the one after it ran no code."""
        own = self._store.log(self._holder, self._record)
        if self._attempt is None and self._record.status is Status.CAUGHT:
            failed = self._store.failures(self._run, self._key)[-1:]
            return chain(*(self._store.log(self._holder, record) for record in failed), own)
        return own

    # Kin

    @property
    def parent_tasks(self) -> Iterator[Task]:
        """The tasks that this one took its input from."""
        return self._tasks(kin.parents(self._store, self._run, self._key))

    @property
    def child_tasks(self) -> Iterator[Task]:
        """The tasks that took their input from this one, as far as they have finished or failed."""
        return self._tasks(kin.children(self._store, self._run, self._record))

    @property
    def parent_task_pathspecs(self) -> Iterator[str]:
        """The pathspecs of `parent_tasks`."""
        return (task.pathspec for task in self.parent_tasks)

    @property
    def child_task_pathspecs(self) -> Iterator[str]:
        """The pathspecs of `child_tasks`."""
        return (task.pathspec for task in self.child_tasks)

    def _tasks(self, entries: Iterable[IndexEntry]) -> Iterator[Task]:
        run = "/".join(self._parts[:2])
        return (
            Task(f"{run}/{e.key.step}/{e.key.id}", _place=self._place, _entry=e, _namespace_check=False)
            for e in entries
        )
