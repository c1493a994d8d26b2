"""Flows, and all flows of a store."""

from __future__ import annotations

from collections.abc import Iterator

from reflow.client import html
from reflow.client.base import Parent
from reflow.client.errors import MetaflowNotFound
from reflow.client.place import place
from reflow.client.run import Run
from reflow.store import layout


class Flow(Parent):
    """A flow by its name: its runs, the newest first.

    Flow("DebugFlow").latest_run["start"].task.data.x
    """

    _form = "Flow"

    def __init__(self, pathspec: str, **options: object) -> None:
        super().__init__(pathspec, **options)  # type: ignore[arg-type]
        if next(self._store.runs(), None) is None:
            raise MetaflowNotFound(f"There is no run of a flow {self.id} in the store {self._place.url}.")

    def __iter__(self) -> Iterator[Run]:
        return self.runs()

    def __getitem__(self, child: str) -> Run:
        try:
            return Run(f"{self.id}/{child}", _place=self._place)
        except MetaflowNotFound as error:
            raise KeyError(str(error)) from None

    def runs(self, *tags: str) -> Iterator[Run]:
        """The runs in the namespace that have all these tags, the newest first."""
        for run in self._newest_first():
            if run.is_in_namespace() and run._has(tags):
                yield run

    def _newest_first(self) -> Iterator[Run]:
        """Each knows what a list shows of it: a few requests for a thousand, and one for each that hasn't ended."""
        for listed in self._store.listed():
            path = f"{self.id}/{listed.run}"
            yield Run(path, _place=self._place, _any_namespace=True, _listed=listed)

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


class Reflow:
    """All flows of a store. `Metaflow` is another name for it."""

    def __init__(self, *, store: str | None = None) -> None:
        self._place = place(store)

    @property
    def flows(self) -> list[Flow]:
        """The flows that have runs, by name."""
        return list(self)

    def __iter__(self) -> Iterator[Flow]:
        for name in self._place.objects.list_folders(""):
            if next(self._place.objects.list_folders(layout.runs(name)), None):
                yield Flow(name, _place=self._place)

    def __getitem__(self, name: str) -> Flow:
        try:
            return Flow(name, _place=self._place)
        except MetaflowNotFound as error:
            raise KeyError(str(error)) from None

    def __contains__(self, name: object) -> bool:
        return any(flow.id == name for flow in self)

    def _repr_html_(self) -> str:
        return html.of_flows(self)

    def __repr__(self) -> str:
        return f"Reflow(store={self._place.url!r})"
