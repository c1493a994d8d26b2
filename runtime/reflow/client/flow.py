"""Flows, and all flows of a store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reflow.client import html
from reflow.client.base import Parent, moment
from reflow.client.errors import MetaflowNamespaceMismatch, MetaflowNotFound
from reflow.client.namespaces import get_namespace
from reflow.client.place import lists_spins, place, place_of
from reflow.client.run import Run
from reflow.store import layout


class Flow(Parent):
    """A flow by its name: its runs, the newest first, as far as they are in the namespace.

    Flow("DebugFlow").latest_run["start"].task.data.x
    """

    _form = "Flow"

    def __init__(self, pathspec: str, attempt: int | None = None, **options: Any) -> None:
        super().__init__(pathspec, attempt, **options)
        newest = next(self._store.runs(), None)
        if newest is None:
            raise MetaflowNotFound(f"There is no run of a flow {self.id} in the store {self._place.url}.")
        if self._namespace is not None and not self._has_run_in(self._namespace, newest):
            raise MetaflowNamespaceMismatch(
                f"No run of the flow {self.id} is in the namespace {self._namespace!r}."
                " Call namespace(None) to see all runs."
            )

    def _has_run_in(self, namespace: str, newest: str) -> bool:
        """The newest is looked at alone: most often it is in the namespace, and the others needn't be listed."""
        try:
            if self._run(newest)._is_in(namespace):
                return True
        except MetaflowNotFound:
            pass  # given up since it was listed
        return any(run._is_in(namespace) for run in self._newest_first())

    def __iter__(self) -> Iterator[Run]:
        return self.runs()

    def __getitem__(self, child: str) -> Run:
        try:
            return Run(
                f"{self.id}/{child}",
                _place=self._place,
                _namespace_check=self._namespace is not None,
                _current_namespace=self._namespace,
            )
        except MetaflowNotFound as error:
            raise KeyError(str(error)) from None

    def __contains__(self, child: object) -> bool:
        try:
            self._run(str(child))
        except MetaflowNotFound:
            return False
        return True

    def runs(self, *tags: str) -> Iterator[Run]:
        """The runs in the namespace that have all these tags, the newest first."""
        for run in self._newest_first():
            if run._is_in(self._namespace) and run._has(tags):
                yield run

    def _newest_first(self) -> Iterator[Run]:
        """Each knows what a list shows of it: a few requests for a thousand, and one for each that hasn't ended."""
        if lists_spins():
            yield from map(self._run, self._store.spins())
            return
        for listed in self._store.listed():
            yield self._run(listed.run, _listed=listed)

    def _run(self, run: str, **options: Any) -> Run:
        return Run(f"{self.id}/{run}", _place=self._place, _namespace_check=False, **options)

    def _repr_html_(self) -> str:
        return html.of_flow(self)

    @property
    def latest_run(self) -> Run | None:
        """The newest run, whether it succeeded or not."""
        return next(self.runs(), None)

    @property
    def latest_successful_run(self) -> Run | None:
        """The newest run that succeeded."""
        return next((run for run in self.runs() if run.successful), None)

    def is_in_namespace(self) -> bool:
        """Whether a run of it is in the namespace that is chosen now."""
        chosen = get_namespace()
        return any(run._is_in(chosen) for run in self._newest_first())

    @property
    def created_at(self) -> datetime:
        """When the oldest run that is kept was claimed."""
        return moment(min(listed.created for listed in self._store.listed()))

    # What runs have and flows don't

    @property
    def parent(self) -> None:
        """A flow has none."""

    @property
    def origin_pathspec(self) -> None:
        """A flow has none."""

    @property
    def tags(self) -> frozenset[str]:
        """A flow has none: its runs have."""
        return frozenset()

    user_tags = system_tags = tags


class Reflow:
    """All flows of a store, as far as they have runs in the namespace. `Metaflow` is another name for it."""

    def __init__(self, _current_metadata: str | None = None, *, store: str | None = None) -> None:
        self._place = place_of(_current_metadata) if _current_metadata else place(store)

    @property
    def flows(self) -> list[Flow]:
        """The flows that have runs, by name."""
        return list(self)

    def __iter__(self) -> Iterator[Flow]:
        for name in self._place.objects.list_folders(""):
            if next(self._place.objects.list_folders(layout.runs(name)), None):
                try:
                    yield Flow(name, _place=self._place)
                except MetaflowNamespaceMismatch:
                    continue

    def __getitem__(self, name: str) -> Flow:
        """Raises MetaflowNotFound, as in Metaflow, which is a KeyError here too."""
        try:
            return Flow(name, _place=self._place)
        except MetaflowNotFound as error:
            raise NoSuchFlow(str(error)) from None

    def __contains__(self, name: object) -> bool:
        return any(flow.id == name for flow in self)

    def _ipython_key_completions_(self) -> list[str]:
        return [flow.id for flow in self]

    def _repr_html_(self) -> str:
        return html.of_flows(self)

    def __repr__(self) -> str:
        return f"Reflow(store={self._place.url!r})"


class NoSuchFlow(MetaflowNotFound, KeyError):
    """`Metaflow()['NoFlow']`."""

    def __str__(self) -> str:
        return str(self.args[0])
