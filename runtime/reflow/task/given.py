"""The file of artifacts that a spin is given in place of those of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.values.errors import FlowError


def artifacts_in(file: str) -> Mapping[str, Any]:
    """Its `ARTIFACTS`: by name, or for a join a dict like that for each input, by `run/step/task`.

    Raises what the file's code raises, and FlowError where it has no such dict.
    """
    import runpy

    found = runpy.run_path(file).get("ARTIFACTS")
    if not isinstance(found, Mapping):
        raise FlowError(f"{file} has no dict ARTIFACTS, such as ARTIFACTS = {{'alpha': 0.5}}.", file=file)
    return found
