"""Tags: those that the system gives a run, and what a user's may be."""

from __future__ import annotations

from collections.abc import Iterable

from reflow.client.errors import MetaflowTaggingError
from reflow.sdk.projects import project_tags
from reflow.store.values import Manifest
from reflow.values.tag import why_no_tag

_RUNTIMES = {"local": "dev", "cluster": "kubernetes"}  # as Metaflow calls them


def system_tags(manifest: Manifest) -> frozenset[str]:
    """What Reflow says of a run: `user:…`, `place:local` or `place:cluster`, `runtime:…`, `python_version:…`."""
    found = {f"place:{manifest.place}", f"runtime:{runtime_of(manifest)}"}
    found |= {f"user:{manifest.user}"} if manifest.user else set()
    found |= {f"python_version:{manifest.python}"} if manifest.python else set()
    return frozenset(found) | project_tags(manifest.project)


def runtime_of(manifest: Manifest) -> str:
    """Where a run runs: `dev` on a laptop, `kubernetes` in a cluster."""
    return _RUNTIMES.get(manifest.place, manifest.place)


def several(tags: str | Iterable[str]) -> tuple[str, ...]:
    """One tag or several. Raises MetaflowTaggingError where one can't be a tag."""
    if isinstance(tags, str):
        tags = (tags,)
    try:
        found = tuple(tags)
    except TypeError:
        raise MetaflowTaggingError(f"{tags!r} is neither a tag nor a list of tags.") from None
    for tag in found:
        if why := why_no_tag(tag):
            raise MetaflowTaggingError(f"{why[:1].upper()}{why[1:]}.")
    return found


def changed(
    now: frozenset[str], system: frozenset[str], remove: tuple[str, ...], add: tuple[str, ...]
) -> frozenset[str]:
    """The user's tags after a change. Raises MetaflowTaggingError where that is none, or takes one of the system's."""
    if not remove and not add:
        raise MetaflowTaggingError("Name at least one tag to add or to remove.")
    kept = sorted(system & set(remove))
    if kept:
        raise MetaflowTaggingError(f"{kept[0]} is a tag of the system's, which can't be removed.")
    return (now - set(remove)) | (set(add) - system)
