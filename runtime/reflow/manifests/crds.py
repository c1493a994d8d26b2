"""Where the CRDs are, and what they say: the schema of a kind, its version and its rules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from reflow.manifests.types import VERSION

_FILES = {"FlowRun": "flowruns.yaml", "Resume": "resumes.yaml"}
KINDS = tuple(_FILES)


def folder() -> Path:
    """The folder with the CRDs: in the installed package, or the repository's in a source checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "crds"
    return installed if installed.is_dir() else package.parent.parent / "crds"


@cache
def definition(kind: str) -> Mapping[str, Any]:
    """The CustomResourceDefinition of a kind of Reflow's, as JSON."""
    loaded: Mapping[str, Any] = yaml.safe_load((folder() / _FILES[kind]).read_text(encoding="utf-8"))
    return loaded


def openapi(kind: str) -> Mapping[str, Any]:
    """The `openAPIV3Schema` of a kind."""
    for version in definition(kind)["spec"]["versions"]:
        if version["name"] == VERSION:
            schema: Mapping[str, Any] = version["schema"]["openAPIV3Schema"]
            return schema
    raise LookupError(f"the CRD of {kind} has no version {VERSION}")
