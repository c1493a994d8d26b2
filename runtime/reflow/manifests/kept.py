"""What a run's manifest in the store keeps of the spec that asked for it, and back: for a resume without the object."""

from __future__ import annotations

from typing import Any

from reflow.manifests.dump import flowrun_spec
from reflow.manifests.parse import parse_flowrun_spec
from reflow.manifests.types import FlowRunSpec
from reflow.store.values import Manifest

NOT_KEPT = ("code", "suspend", "cancel")


def request_of(spec: FlowRunSpec) -> dict[str, Any]:
    """All but the code, which has a place of its own, and passing wishes."""
    return {name: value for name, value in flowrun_spec(spec).items() if name not in NOT_KEPT}


def spec_of(manifest: Manifest) -> FlowRunSpec:
    """The spec that a run stands for. Raises ManifestError."""
    code = manifest.code
    source: dict[str, Any] = (
        {"package": code.sha256, "script": code.script} if code.sha256 else {"image": {"path": code.script}}
    )
    return parse_flowrun_spec({**manifest.request, "flow": manifest.flow, "code": source})
