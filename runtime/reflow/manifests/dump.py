"""Specs as the JSON of a manifest: the other way round of `manifests.parse`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.manifests.types import (
    CodeSource,
    FlowRunSpec,
    ImageCode,
    Inline,
    Package,
    ResumeSpec,
    StepOverride,
)

Json = dict[str, Any]


def flowrun_spec(spec: FlowRunSpec) -> Json:
    """The `spec` of a FlowRun's manifest. What isn't set is left out."""
    found: Json = {
        "flow": spec.flow,
        "code": _code(spec.code),
        "image": spec.image,
        "parameters": dict(spec.parameters) or None,
        "maxWorkers": spec.max_workers,
        "podTemplate": spec.pod_template,
        "steps": _steps(spec.steps),
        "suspend": spec.suspend or None,
        "cancel": spec.cancel or None,
        "activeDeadlineSeconds": spec.active_deadline_seconds,
        "ttlSecondsAfterFinished": spec.ttl_seconds_after_finished,
        "store": spec.store,
    }
    if spec.resume_from is not None:
        found["resumeFrom"] = _set({"runID": spec.resume_from.run_id, "fromStep": spec.resume_from.from_step})
    return _set(found)


def resume_spec(spec: ResumeSpec) -> Json:
    """The `spec` of a Resume's manifest. What isn't set is left out."""
    return _set(
        {
            "originRef": None if spec.origin_ref is None else {"name": spec.origin_ref},
            "originRunID": spec.origin_run_id,
            "flow": spec.flow,
            "fromStep": spec.from_step,
            "code": None if spec.code is None else _code(spec.code),
            "image": spec.image,
            "maxWorkers": spec.max_workers,
            "podTemplate": spec.pod_template,
            "steps": _steps(spec.steps),
            "suspend": spec.suspend or None,
            "cancel": spec.cancel or None,
            "activeDeadlineSeconds": spec.active_deadline_seconds,
            "ttlSecondsAfterFinished": spec.ttl_seconds_after_finished,
            "store": spec.store,
        }
    )


def _code(code: CodeSource) -> Json:
    match code:
        case Inline(text, script):
            return {"inline": text, "script": script}
        case Package(sha256, script):
            return {"package": sha256, "script": script}
        case ImageCode(path):
            return {"image": {"path": path}}


def _steps(steps: Mapping[str, StepOverride]) -> Json | None:
    return {name: _step(step) for name, step in steps.items()} or None


def _step(step: StepOverride) -> Json:
    resources = None
    if step.resources is not None:
        limits, requests = dict(step.resources.limits), dict(step.resources.requests)
        resources = _set({"limits": limits or None, "requests": requests or None})
    return _set(
        {
            "resources": resources,
            "retries": step.retries,
            "retryDelaySeconds": step.retry_delay_seconds,
            "timeoutSeconds": step.timeout_seconds,
            "podTemplate": step.pod_template,
        }
    )


def _set(values: Json) -> Json:
    return {name: value for name, value in values.items() if value is not None}
