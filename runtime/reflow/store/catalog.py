"""What a list of runs shows of each run, readable by listing alone: no object is opened.

Each fact is an empty object whose name says it: `<Flow>/catalog/<run>/<what>_<the fact, JSON in base64>`, where what is
`run` (put when the run is claimed), `end` (when it ends) or `tags` (when they change). So a thousand runs are listed in
a few requests. It's a cache: what it lacks is read from manifests and ends, and facts too long for a name are left out.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Any

from reflow.store import layout
from reflow.store.objects import ObjectInfo, ObjectStore
from reflow.store.values import Manifest, RunEnd
from reflow.values.dataclass import dataclass, replace
from reflow.values.untrusted import identifier, moment, text

_LONGEST = 240  # characters of a name, which a file system takes up to 255 of


@dataclass(frozen=True, slots=True)
class Listed:
    """A run as a list shows it. `end`: None while it hasn't ended (or its scheduler died); its message is left out."""

    run: str
    created: float
    user: str = ""
    place: str = "local"
    origin: str | None = None
    from_step: str | None = None
    tags: tuple[str, ...] = ()
    end: RunEnd | None = None
    problem: str = ""
    """Why no more is known of it: an object of it is damaged, or a newer Reflow's."""


def note_run(objects: ObjectStore, manifest: Manifest) -> None:
    """The run was claimed."""
    listed = of_manifest(manifest)
    _note(
        objects,
        manifest.flow,
        manifest.run,
        "run",
        [listed.created, listed.user, listed.place, listed.origin, listed.from_step, listed.tags],
    )


def note_end(objects: ObjectStore, flow: str, run: str, end: RunEnd) -> None:
    """The run has ended."""
    _note(objects, flow, run, "end", [end.succeeded, end.ended, end.failed_step, end.failed_task])


def note_tags(objects: ObjectStore, flow: str, run: str, tags: Iterable[str]) -> None:
    """The run's tags have changed. Where they're too many for a name, the entry goes, and they are read."""
    before = [info.key for info in objects.list(f"{layout.catalog(flow)}{run}/")]
    kept = _note(objects, flow, run, "tags", list(tags))
    gone = [key for key in before if _what(key) == "tags" or (not kept and _what(key) == "run")]
    objects.delete([key for key in gone if key != kept])


def forget_end(objects: ObjectStore, flow: str, run: str) -> None:
    """The run goes on after all."""
    facts = (info.key for info in objects.list(f"{layout.catalog(flow)}{run}/"))
    objects.delete([key for key in facts if _what(key) == "end"])


def forget(objects: ObjectStore, flow: str, run: str) -> None:
    """The run is no more."""
    objects.delete([info.key for info in objects.list(f"{layout.catalog(flow)}{run}/")])


def read(objects: ObjectStore, flow: str) -> dict[str, Listed]:
    """The runs that the catalog knows. A run may be gone, or lack its end, all the same: see `Runs.listed`."""
    found: dict[str, Listed] = {}
    ends: dict[str, RunEnd] = {}
    tags: dict[str, tuple[float, tuple[str, ...]]] = {}
    for run, what, info, fact in _facts(objects, flow):
        try:
            if what == "run":
                created, user, place, origin, from_step, given = fact
                found[run] = Listed(
                    layout.run_id(run),
                    moment(created),
                    text(user),
                    text(place),
                    None if origin is None else layout.run_id(origin),
                    None if from_step is None else identifier(from_step),
                    tuple(map(text, given)),
                )
            elif what == "end":
                succeeded, ended, failed_step, failed_task = fact
                ends[run] = RunEnd(
                    bool(succeeded),
                    moment(ended),
                    None if failed_step is None else identifier(failed_step),
                    None if failed_task is None else text(failed_task),
                )
            elif what == "tags" and info.modified >= tags.get(run, (0.0,))[0]:
                tags[run] = info.modified, tuple(map(text, fact))
        except (ValueError, TypeError):
            continue  # not of this form: the run is read
    return {
        run: replace(listed, end=ends.get(run), tags=tags[run][1] if run in tags else listed.tags)
        for run, listed in found.items()
    }


def of_manifest(manifest: Manifest) -> Listed:
    """As its manifest says: without its end, and with the tags that it was started with."""
    origin = manifest.origin
    return Listed(
        manifest.run,
        manifest.created,
        manifest.user,
        manifest.place,
        origin.run if origin else None,
        origin.from_step if origin else None,
        manifest.tags,
    )


def _facts(objects: ObjectStore, flow: str) -> Iterator[tuple[str, str, ObjectInfo, Any]]:
    folder = layout.catalog(flow)
    for info in objects.list(folder):
        run, _, name = info.key[len(folder) :].partition("/")
        what, _, text = name.partition("_")
        try:
            yield run, what, info, json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, RecursionError):
            continue


def _note(objects: ObjectStore, flow: str, run: str, what: str, fact: list[Any]) -> str:
    text = urlsafe_b64encode(json.dumps(fact, separators=(",", ":")).encode()).decode().rstrip("=")
    name = f"{what}_{text}"
    if len(name) > _LONGEST:
        return ""
    key = f"{layout.catalog(flow)}{run}/{name}"
    objects.put(key, b"")
    return key


def _what(key: str) -> str:
    return key.rpartition("/")[2].partition("_")[0]
