"""All runs of a flow at a glance: from the catalog, and from the runs themselves what that lacks."""

from __future__ import annotations

from reflow.store import catalog, layout
from reflow.store.catalog import Listed
from reflow.store.objects import ObjectStore
from reflow.store.parallel import each
from reflow.store.runs import Runs
from reflow.values.dataclass import replace
from reflow.values.errors import CorruptObject, NewerFormat, NotFound


def listed(objects: ObjectStore, runs: Runs) -> list[Listed]:
    """Newest first. Requests: about four for each thousand runs, and one more for each run without an end."""
    known = catalog.read(objects, runs.flow)
    names = [name for name in objects.list_folders(layout.runs(runs.flow)) if not layout.is_spin(name)]

    def look(name: str) -> Listed | None:
        found = known.get(name)
        try:
            found = found or _from_manifest(runs, name)
            if found is None or found.end is not None:
                return found
            return replace(found, end=runs.end(name))
        except (CorruptObject, NewerFormat) as error:
            info = objects.stat(layout.run(runs.flow, name).manifest)
            return replace(found or Listed(name, info.modified if info else 0.0), problem=str(error))

    complete = [run for name in names if (run := known.get(name)) and run.end is not None]
    others = [name for name in names if name not in known or known[name].end is None]
    found = each(look, others, at_once=objects.parallel)
    return sorted([*complete, *filter(None, found)], key=lambda run: (-run.created, run.run))


def _from_manifest(runs: Runs, name: str) -> Listed | None:
    try:
        return replace(catalog.of_manifest(runs.manifest(name)), tags=runs.tags(name))
    except NotFound:
        return None  # given up since it was listed
