"""`merge_artifacts`: which of the inputs' artifacts a join takes over, by reference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from reflow.sdk.artifacts import Artifacts
from reflow.sdk.exceptions import (
    MergeArtifactsException,
    MissingInMergeArtifactsException,
    UnhandledInMergeArtifactsException,
)
from reflow.store.values import ArtifactRef
from reflow.values.key import TaskKey


def merge(
    step: str,
    inputs: Iterable[Artifacts],
    *,
    include: Collection[str],
    exclude: Collection[str],
    is_set: Callable[[str], bool],
) -> dict[str, tuple[ArtifactRef, TaskKey]]:
    """Artifacts on which all inputs that have them agree. `is_set`: the join has an attribute of its own already.

    Raises UnhandledInMergeArtifactsException, MissingInMergeArtifactsException, MergeArtifactsException.
    """
    if include and exclude:
        raise MergeArtifactsException(f"Step {step}: merge_artifacts takes include= or exclude=, not both.")
    merged: dict[str, tuple[ArtifactRef, TaskKey]] = {}
    unhandled: dict[str, None] = {}
    own: dict[str, bool] = {}
    for artifacts in inputs:
        for name, (ref, holder) in artifacts.table().items():
            if name in exclude or (include and name not in include):
                continue
            if name not in own:
                own[name] = is_set(name)
            if own[name]:
                continue
            if merged.setdefault(name, (ref, holder))[0].sha256 != ref.sha256:
                unhandled[name] = None
    if unhandled:
        names = sorted(unhandled)
        raise UnhandledInMergeArtifactsException(
            f"Step {step} can't merge {', '.join(names)}: the inputs have different values. Set "
            f"self.{names[0]} before merge_artifacts, or leave it out with exclude={names!r}.",
            names,
        )
    missing = sorted(
        name for name in include if name not in merged and not own.get(name) and not is_set(name)
    )
    if missing:
        raise MissingInMergeArtifactsException(
            f"Step {step} can't merge {', '.join(missing)}: no input has an artifact of that name.", missing
        )
    return merged
