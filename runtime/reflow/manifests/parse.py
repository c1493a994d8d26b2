"""Objects as JSON → typed values, and specs back to JSON. Pure.

Parsing trusts that a schema was applied: the API server's or `manifests.schema`. What is wrong all the same
(an object from before a CRD was changed, say) raises `ManifestError`, which names the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from reflow.manifests.types import (
    API_VERSION,
    DEFAULT_MAX_WORKERS,
    DEFAULT_SCRIPT,
    CodeSource,
    FlowRun,
    FlowRunSpec,
    ImageCode,
    Inline,
    Manifest,
    Meta,
    Package,
    Resources,
    Resume,
    ResumeFrom,
    ResumeSpec,
    StepOverride,
)
from reflow.values.errors import UsageError

T = TypeVar("T")
Object = Mapping[str, Any]


class ManifestError(UsageError):
    """A field of a manifest is wrong. `field` is its path, such as `spec.code.inline`."""

    def __init__(self, field: str, message: str) -> None:
        """`message`: what is wrong with the field and what to do, as a sentence without the path."""
        self.field = field
        self.reason = message
        super().__init__(f"{field}: {message}")


def parse(obj: Object) -> Manifest:
    """A FlowRun or a Resume, by the object's `kind`. Raises ManifestError."""
    version = obj.get("apiVersion")
    if version != API_VERSION:
        raise ManifestError("apiVersion", f"it is {version!r}, and this Reflow reads {API_VERSION!r}.")
    kind = obj.get("kind")
    if kind == "FlowRun":
        return parse_flowrun(obj)
    if kind == "Resume":
        return parse_resume(obj)
    raise ManifestError("kind", f"it is {kind!r}; Reflow's kinds are FlowRun and Resume.")


def parse_flowrun(obj: Object) -> FlowRun:
    """A FlowRun. Raises ManifestError."""
    spec = _need(obj, "spec", dict, "")
    return FlowRun(meta=_meta(obj), spec=parse_flowrun_spec(spec), status=_get(obj, "status", dict, "") or {})


def parse_resume(obj: Object) -> Resume:
    """A Resume. Raises ManifestError."""
    spec = _need(obj, "spec", dict, "")
    return Resume(meta=_meta(obj), spec=parse_resume_spec(spec), status=_get(obj, "status", dict, "") or {})


def parse_flowrun_spec(spec: Object) -> FlowRunSpec:
    """A FlowRun's `spec`. Raises ManifestError."""
    at = "spec"
    resume_from = _get(spec, "resumeFrom", dict, at)
    return FlowRunSpec(
        flow=_need(spec, "flow", str, at),
        code=_code(_need(spec, "code", dict, at)),
        image=_get(spec, "image", str, at),
        parameters=_get(spec, "parameters", dict, at) or {},
        max_workers=_or(_get(spec, "maxWorkers", int, at), DEFAULT_MAX_WORKERS),
        pod_template=_get(spec, "podTemplate", dict, at),
        steps=_steps(spec),
        suspend=_or(_get(spec, "suspend", bool, at), False),
        cancel=_or(_get(spec, "cancel", bool, at), False),
        active_deadline_seconds=_get(spec, "activeDeadlineSeconds", int, at),
        ttl_seconds_after_finished=_get(spec, "ttlSecondsAfterFinished", int, at),
        store=_get(spec, "store", str, at),
        resume_from=None if resume_from is None else _resume_from(resume_from),
    )


def parse_resume_spec(spec: Object) -> ResumeSpec:
    """A Resume's `spec`. Raises ManifestError."""
    at = "spec"
    if "parameters" in spec:
        raise ManifestError(
            "spec.parameters",
            "a Resume reuses its origin's parameter values; they can't be set. Leave it out.",
        )
    ref = _get(spec, "originRef", dict, at)
    code = _get(spec, "code", dict, at)
    run_id = _get(spec, "originRunID", str, at)
    if (ref is None) == (run_id is None):
        raise ManifestError("spec", "exactly one of originRef and originRunID must be set.")
    return ResumeSpec(
        origin_ref=None if ref is None else _need(ref, "name", str, "spec.originRef"),
        origin_run_id=run_id,
        flow=_get(spec, "flow", str, at),
        from_step=_get(spec, "fromStep", str, at),
        code=None if code is None else _code(code),
        image=_get(spec, "image", str, at),
        max_workers=_get(spec, "maxWorkers", int, at),
        pod_template=_get(spec, "podTemplate", dict, at),
        steps=_steps(spec),
        suspend=_or(_get(spec, "suspend", bool, at), False),
        cancel=_or(_get(spec, "cancel", bool, at), False),
        active_deadline_seconds=_get(spec, "activeDeadlineSeconds", int, at),
        ttl_seconds_after_finished=_get(spec, "ttlSecondsAfterFinished", int, at),
        store=_get(spec, "store", str, at),
    )


def _code(code: Object) -> CodeSource:
    at = "spec.code"
    inline, package, image = (code.get(name) for name in ("inline", "package", "image"))
    if sum(source is not None for source in (inline, package, image)) != 1:
        raise ManifestError(at, "exactly one of inline, package and image must be set.")
    if inline is not None:
        text = _need(code, "inline", str, at)
        return Inline(text=text, script=_or(_get(code, "script", str, at), DEFAULT_SCRIPT))
    if package is not None:
        return Package(sha256=_need(code, "package", str, at), script=_need(code, "script", str, at))
    return ImageCode(path=_need(_need(code, "image", dict, at), "path", str, f"{at}.image"))


def _steps(spec: Object) -> dict[str, StepOverride]:
    steps = _get(spec, "steps", dict, "spec") or {}
    return {name: _step(_need(steps, name, dict, "spec.steps"), f"spec.steps.{name}") for name in steps}


def _step(step: Object, at: str) -> StepOverride:
    resources = _get(step, "resources", dict, at)
    return StepOverride(
        resources=None if resources is None else _resources(resources, f"{at}.resources"),
        retries=_get(step, "retries", int, at),
        retry_delay_seconds=_get(step, "retryDelaySeconds", int, at),
        timeout_seconds=_get(step, "timeoutSeconds", int, at),
        pod_template=_get(step, "podTemplate", dict, at),
    )


def _resources(resources: Object, at: str) -> Resources:
    def quantities(name: str) -> dict[str, str]:
        return {key: str(value) for key, value in (_get(resources, name, dict, at) or {}).items()}

    return Resources(requests=quantities("requests"), limits=quantities("limits"))


def _resume_from(value: Object) -> ResumeFrom:
    at = "spec.resumeFrom"
    return ResumeFrom(run_id=_need(value, "runID", str, at), from_step=_get(value, "fromStep", str, at))


def _meta(obj: Object) -> Meta:
    at = "metadata"
    meta = _need(obj, "metadata", dict, "")
    return Meta(
        name=_need(meta, "name", str, at),
        namespace=_get(meta, "namespace", str, at) or "",
        uid=_get(meta, "uid", str, at) or "",
        generation=_get(meta, "generation", int, at) or 0,
        resource_version=_get(meta, "resourceVersion", str, at) or "",
        labels=_get(meta, "labels", dict, at) or {},
        annotations=_get(meta, "annotations", dict, at) or {},
        finalizers=tuple(_get(meta, "finalizers", list, at) or ()),
        creation_timestamp=_get(meta, "creationTimestamp", str, at),
        deletion_timestamp=_get(meta, "deletionTimestamp", str, at),
    )


_WORDS = {str: "text", int: "a whole number", bool: "true or false", dict: "an object", list: "a list"}


def _get(obj: Object, name: str, kind: type[T], at: str) -> T | None:
    value = obj.get(name)
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        path = f"{at}.{name}" if at else name
        raise ManifestError(path, f"it must be {_WORDS[kind]}, not {value!r}.")
    return value


def _need(obj: Object, name: str, kind: type[T], at: str) -> T:
    value = _get(obj, name, kind, at)
    if value is None:
        raise ManifestError(f"{at}.{name}" if at else name, "it is missing.")
    return value


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
