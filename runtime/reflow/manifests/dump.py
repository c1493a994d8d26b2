"""A FlowRun's spec as the JSON of a manifest: the other way round of `manifests.parse`. Pure."""

from __future__ import annotations

from typing import Any

from reflow.manifests.types import CodeSource, FlowRunSpec, ImageCode, Inline, Package, StepOverride

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
        "steps": {name: _step(step) for name, step in spec.steps.items()} or None,
        "suspend": spec.suspend or None,
        "cancel": spec.cancel or None,
        "activeDeadlineSeconds": spec.active_deadline_seconds,
        "ttlSecondsAfterFinished": spec.ttl_seconds_after_finished,
        "store": spec.store,
    }
    if spec.resume_from is not None:
        found["resumeFrom"] = _set({"runID": spec.resume_from.run_id, "fromStep": spec.resume_from.from_step})
    return _set(found)


def _code(code: CodeSource) -> Json:
    match code:
        case Inline(text, script):
            return {"inline": text, "script": script}
        case Package(sha256, script):
            return {"package": sha256, "script": script}
        case ImageCode(path):
            return {"image": {"path": path}}


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
