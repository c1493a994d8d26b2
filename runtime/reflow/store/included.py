"""Contents that a manifest itself refers to: an included file is a blob, and its parameter's value says which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reflow.store.formats import artifact_from_json, artifact_to_json
from reflow.store.values import ArtifactRef

KEPT = "reflow-file"  # the one key of a value that stands for a content


def kept(ref: ArtifactRef) -> dict[str, Any]:
    """The manifest's value that stands for the content."""
    return {KEPT: artifact_to_json(ref)}


def reference(value: Any) -> ArtifactRef | None:
    """Where a manifest's value says that a content is; None where it's no such value."""
    if not isinstance(value, Mapping) or set(value) != {KEPT} or not isinstance(value[KEPT], Mapping):
        return None
    return artifact_from_json(dict(value[KEPT]))


def references(parameters: Mapping[str, Any]) -> Iterator[ArtifactRef]:
    """The contents that a manifest's parameters refer to."""
    for value in parameters.values():
        ref = reference(value)
        if ref is not None:
            yield ref
