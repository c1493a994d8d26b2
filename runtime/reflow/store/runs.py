"""The runs of one flow: claiming, listing and ending them, their tags, and which tasks they cloned from
where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

from reflow.store import catalog, formats, layout, runids, tagging
from reflow.store.objects import ObjectStore
from reflow.store.parallel import each
from reflow.store.values import Manifest, RunEnd
from reflow.values.errors import NotFound, ReflowError, StoreError
from reflow.values.key import TaskKey

_CACHED = 8  # manifests kept: those of a run and of what it was cloned from


class Runs:
    """Reads and writes what a flow keeps once per run. A manifest never changes, so it is cached."""

    def __init__(self, objects: ObjectStore, flow: str) -> None:
        self._objects = objects
        self.flow = flow
        self._manifests: dict[str, Manifest] = {}
        self._origins: dict[str, Mapping[TaskKey, str]] = {}

    def claim(self, make: Callable[[str], Manifest], wanted: str | None = None) -> Manifest:
        if wanted is None:
            manifest = runids.claim_next(self._objects, self.flow, make)
        else:
            manifest = runids.claim(self._objects, self.flow, wanted, make)
        self._remember(manifest)
        with suppress(StoreError):  # the catalog is a cache
            if not layout.is_spin(manifest.run):
                catalog.note_run(self._objects, manifest)
        return manifest

    def manifest(self, run: str) -> Manifest:
        found = self._manifests.get(run)
        if found:
            return found
        where = layout.run(self.flow, run).manifest
        try:
            data = self._objects.get(where)
        except NotFound:
            raise NotFound(f"There is no run {self.flow}/{run} in the store {self._objects.url}.") from None
        manifest = formats.decode_manifest(data, where)
        self._remember(manifest)
        return manifest

    def _remember(self, manifest: Manifest) -> None:
        while len(self._manifests) >= _CACHED:
            oldest = next(iter(self._manifests))
            self._manifests.pop(oldest, None)
            self._origins.pop(oldest, None)
        self._manifests[manifest.run] = manifest

    def runs(self) -> Iterator[str]:
        names = [
            name for name in self._objects.list_folders(layout.runs(self.flow)) if not layout.is_spin(name)
        ]
        counted = [name for name in names if name.isdecimal()]
        yield from sorted(counted, key=int, reverse=True)
        named = [name for name in names if not name.isdecimal()]
        ages = each(self._claimed_at, named, at_once=self._objects.parallel)
        yield from (name for _, name in sorted(zip(ages, named, strict=True), reverse=True))

    def _claimed_at(self, run: str) -> float:
        info = self._objects.stat(layout.run(self.flow, run).manifest)
        return info.modified if info else 0.0

    def release(self, run: str) -> None:
        where = layout.run(self.flow, run)
        done = next((info.key for info in self._objects.list(where.tasks) if info.key.endswith("_ok")), None)
        if done:
            raise ReflowError(
                f"The run {self.flow}/{run} can't be given up: tasks of it have finished ({done})."
            )
        # The manifest goes last: while it's there, nobody else can claim the id.
        catalog.forget(self._objects, self.flow, run)
        leftovers = [info.key for info in self._objects.list(where.root) if info.key != where.manifest]
        self._objects.delete(leftovers)
        self._objects.delete([where.manifest])
        self._manifests.pop(run, None)
        if run.isdecimal():
            runids.remember(self._objects, self.flow, int(run) - 1)

    def finish(self, run: str, end: RunEnd) -> None:
        self._objects.put(layout.run(self.flow, run).end, formats.encode_end(end))
        with suppress(StoreError):
            if layout.is_spin(run):
                return
            catalog.note_end(self._objects, self.flow, run, end)

    def reopen(self, run: str) -> None:
        self._objects.delete([layout.run(self.flow, run).end])
        with suppress(StoreError):
            catalog.forget_end(self._objects, self.flow, run)

    def end(self, run: str) -> RunEnd | None:
        where = layout.run(self.flow, run).end
        try:
            return formats.decode_end(self._objects.get(where), where)
        except NotFound:
            return None

    # Clones

    def origins(self, run: str) -> Mapping[TaskKey, str]:
        """For each cloned task of a run, the run that holds its record."""
        if run not in self._origins:
            clones = self.manifest(run).clones
            self._origins[run] = {key: origin for origin, keys in clones.items() for key in keys}
        return self._origins[run]

    def origin(self, run: str, key: TaskKey) -> str | None:
        """The run that a task was cloned from, None where it's the run's own."""
        return self.origins(run).get(key)

    def known_origin(self, run: str, key: TaskKey) -> str | None:
        """As `origin`, if that's known without a request."""
        return self._origins.get(run, {}).get(key)

    # Tags

    def tags(self, run: str) -> tuple[str, ...]:
        """The run's tags now: those it was started with, until they were changed."""
        found = tagging.read(self._objects, self.flow, run)
        return self.manifest(run).tags if found is None else found

    def change_tags(self, run: str, make: Callable[[tuple[str, ...]], Iterable[str]]) -> None:
        """Make the run's tags anew of those that it has now."""
        tags = tagging.change(self._objects, self.flow, run, self.manifest(run).tags, make)
        with suppress(StoreError):
            while True:  # of two changes at once, the catalog keeps the later one
                catalog.note_tags(self._objects, self.flow, run, tags)
                now = self.tags(run)
                if now == tags:
                    break
                tags = now
