"""One run of a flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Any

from reflow.client import html
from reflow.client.base import Parent, moment
from reflow.client.code import Code
from reflow.client.data import TaskData
from reflow.client.errors import MetaflowNamespaceMismatch, MetaflowNotFound, MetaflowTaggingError
from reflow.client.kin import begun, by_depth
from reflow.client.namespaces import get_namespace, is_anybodys
from reflow.client.step import Step
from reflow.client.tags import changed, several, system_tags
from reflow.client.task import Task
from reflow.store.catalog import Listed
from reflow.store.values import Manifest, RunEnd
from reflow.values.key import TaskKey


class Run(Parent):
    """A run, such as `Run("DebugFlow/3")`: its steps, the latest first, as far as they have begun."""

    _form = "Flow/run"

    def __init__(
        self,
        pathspec: str,
        attempt: int | None = None,
        *,
        _listed: Listed | None = None,
        **options: Any,
    ) -> None:
        super().__init__(pathspec, attempt, **options)
        self._listed = _listed  # what a list of runs told of it, so that it needn't be read
        if _listed is None:
            _ = self._manifest
        if not self._is_in(self._namespace):
            raise MetaflowNamespaceMismatch(
                f"The run {self.pathspec} isn't in the namespace {self._namespace!r}."
                " Call namespace(None) to see all runs."
            )

    @property
    def _manifest(self) -> Manifest:
        return self._store.manifest(self.id)

    @property
    def parent(self) -> Any:
        """The flow."""
        from reflow.client.flow import Flow

        return Flow(self._parts[0], _place=self._place, _namespace_check=False)

    # Steps

    def __iter__(self) -> Iterator[Step]:
        return self.steps()

    def steps(self, *tags: str) -> Iterator[Step]:
        """The steps that have begun, the latest first. All have the run's tags: `tags` gives all of them or none."""
        if tags and not set(tags) <= self.tags:
            return
        there = begun(self._store, self.id)
        for name in reversed(by_depth(self._manifest.graph)):
            if name in there:
                yield Step(
                    f"{self.pathspec}/{name}", _place=self._place, _namespace_check=False, _is_there=True
                )

    def _repr_html_(self) -> str:
        return html.of_run(self)

    def __getitem__(self, child: str) -> Step:
        try:
            return Step(f"{self.pathspec}/{child}", _place=self._place, _namespace_check=False)
        except MetaflowNotFound as error:
            raise KeyError(str(error)) from None

    @property
    def end_task(self) -> Task | None:
        """The task of the step `end`, None while it hasn't finished."""
        if self._store.result(self.id, self._end_key) is None:
            return None
        path = f"{self.pathspec}/{self._end_key.step}/{self._end_key.id}"
        return Task(path, _place=self._place, _namespace_check=False)

    @cached_property
    def _end_key(self) -> TaskKey:
        return TaskKey(self._manifest.graph.end)

    @property
    def data(self) -> TaskData | None:
        """The artifacts of `end`, None while it hasn't finished."""
        return end.data if (end := self.end_task) else None

    # How it went

    @property
    def successful(self) -> bool:
        """Whether the run went through to its end."""
        end = self._end
        return end.succeeded if end else self._reached_end

    @property
    def finished(self) -> bool:
        """Whether the step `end` has finished. A run that failed isn't finished, as in Metaflow: see
        `status`.
        """
        return self.successful

    @property
    def status(self) -> str:
        """`succeeded`, `failed`, `running`, or `dead` where it has no end and nobody works on it any more."""
        if end := self._end:
            return "succeeded" if end.succeeded else "failed"
        if self._reached_end:
            return "succeeded"
        return "running" if self._store.liveness(self.id).alive else "dead"

    @property
    def failed_task(self) -> Task | None:
        """The task that failed the run, None where none did."""
        end = self._end
        if end is None or not end.failed_task:
            return None
        try:
            return Task(f"{self.pathspec}/{end.failed_task}", _place=self._place, _namespace_check=False)
        except MetaflowNotFound:
            return None  # it left no record

    @property
    def exception(self) -> Any:
        """What failed the run, None where nothing did."""
        return failed.exception if (failed := self.failed_task) else None

    @property
    def created_at(self) -> datetime:
        """When the run was claimed."""
        return moment(self._listed.created if self._listed else self._manifest.created)

    @property
    def finished_at(self) -> datetime | None:
        """When the run went through to its end; None where it didn't, as in Metaflow: see `ended_at`."""
        return self.ended_at if self.finished else None

    @property
    def ended_at(self) -> datetime | None:
        """When the run was over, successful or not; None while it isn't."""
        if end := self._end:
            return moment(end.ended)
        return end_task.finished_at if (end_task := self.end_task) else None

    @property
    def _end(self) -> RunEnd | None:
        if self._listed and self._listed.end:
            return self._listed.end
        return self._store.end(self.id)

    @property
    def _reached_end(self) -> bool:
        """For a run whose scheduler died between the last task and writing down the end."""
        return self._store.result_exists(self.id, self._end_key)

    # What it was started with

    @property
    def code(self) -> Code:
        """The code that the run was started with."""
        return Code(self._store, self._manifest)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters' values by name."""
        return dict(self._manifest.parameters)

    @property
    def origin_pathspec(self) -> str | None:
        """The run that this one resumed, None for one that resumed none."""
        listed, made = self._listed, None if self._listed else self._manifest.origin
        origin = listed.origin if listed else made.run if made else None
        return f"{self._parts[0]}/{origin}" if origin else None

    # Tags

    @property
    def tags(self) -> frozenset[str]:
        """All tags: the user's and the system's."""
        return self.user_tags | self.system_tags

    @property
    def user_tags(self) -> frozenset[str]:
        """The tags that users gave it."""
        return frozenset(self._listed.tags if self._listed else self._store.tags(self.id))

    @property
    def system_tags(self) -> frozenset[str]:
        """What Reflow says of it: `user:…`, `place:local` or `place:cluster`, `python_version:…`."""
        return system_tags(self._manifest)

    def _has(self, tags: Iterable[str]) -> bool:
        """Whether it has all of these tags. The system's are looked at last: they may have to be read."""
        missing = set(tags) - self.user_tags
        return not missing or (all(":" in tag for tag in missing) and missing <= self.system_tags)

    def is_in_namespace(self) -> bool:
        """Whether the run is in the namespace that is chosen now: has its tag, or all are shown."""
        return self._is_in(get_namespace())

    def _is_in(self, namespace: str | None) -> bool:
        if namespace is None:
            return True
        known = self._listed or self._manifest
        if is_anybodys(namespace, known.user) or namespace in (f"user:{known.user}", f"place:{known.place}"):
            return True
        return self._has([namespace])

    @property
    def trigger(self) -> None:
        """What event started the run: always None, since Reflow has no events."""

    def add_tag(self, tag: str | Iterable[str]) -> None:
        """Add a tag, or several. Raises MetaflowTaggingError."""
        self._change((), several(tag))

    def add_tags(self, tags: str | Iterable[str]) -> None:
        """Add tags. Raises MetaflowTaggingError."""
        self._change((), several(tags))

    def remove_tag(self, tag: str | Iterable[str]) -> None:
        """Remove a tag, or several; the system's stay. Raises MetaflowTaggingError."""
        self._change(several(tag), ())

    def remove_tags(self, tags: str | Iterable[str]) -> None:
        """Remove tags; the system's stay. Raises MetaflowTaggingError."""
        self._change(several(tags), ())

    def replace_tag(self, tag_to_remove: str | Iterable[str], tag_to_add: str | Iterable[str]) -> None:
        """Remove one tag and add another, or several each. Raises MetaflowTaggingError."""
        self._change(several(tag_to_remove), several(tag_to_add))

    def replace_tags(self, tags_to_remove: Iterable[str], tags_to_add: Iterable[str]) -> None:
        """Remove tags, then add others. Raises MetaflowTaggingError."""
        if isinstance(tags_to_remove, str) or isinstance(tags_to_add, str):
            raise MetaflowTaggingError(
                "replace_tags takes two lists of tags; for single ones there's replace_tag."
            )
        self._change(several(tags_to_remove), several(tags_to_add))

    def _change(self, remove: tuple[str, ...], add: tuple[str, ...]) -> None:
        self._listed = None  # what it told is older than what is to be changed
        system = self.system_tags
        self._store.change_tags(self.id, lambda now: changed(frozenset(now), system, remove, add))
