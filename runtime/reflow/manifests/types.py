"""What a FlowRun and a Resume say, as frozen values. The CRDs in `crds/` say the same field by field."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from reflow.values.dataclass import dataclass, field

GROUP = "reflow.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
DEFAULT_MAX_WORKERS = 100
DEFAULT_SCRIPT = "flow.py"  # the name that an inline file goes by in tracebacks where the manifest gives none


class Phase(StrEnum):
    """Where a run stands, in one word, for people. Programs read the conditions."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class ConditionType(StrEnum):
    """Conditions of a FlowRun and of a Resume, as `kubectl wait --for=condition=…` names them.

    `COMPLETE` and `FAILED` are final, and exactly one of them becomes true; a cancelled run is failed, with
    the reason `Cancelled`. `SUSPENDED`: nothing new starts. `STORE_READY`: false while the store can't be
    used. `PODS_READY`: false while Pods are refused or can't get going.
    """

    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    STORE_READY = "StoreReady"
    PODS_READY = "PodsReady"


@dataclass(frozen=True, slots=True)
class Inline:
    """One file of code in the manifest itself. `script`: the name it goes by."""

    text: str
    script: str = DEFAULT_SCRIPT


@dataclass(frozen=True, slots=True)
class Package:
    """A code package in the store, named by its SHA-256 in hex. `script`: the flow's file within it."""

    sha256: str
    script: str


@dataclass(frozen=True, slots=True)
class ImageCode:
    """Code that is in the image already. `path`: the flow's file there, absolute."""

    path: str


CodeSource = Inline | Package | ImageCode


@dataclass(frozen=True, slots=True)
class Resources:
    """Kubernetes quantities by resource name, as text: `{"cpu": "500m", "memory": "2Gi"}`."""

    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepOverride:
    """What a manifest changes for one step; None leaves what the step's decorators say. Times in seconds."""

    resources: Resources | None = None
    retries: int | None = None
    retry_delay_seconds: int | None = None
    timeout_seconds: int | None = None
    pod_template: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ResumeFrom:
    """Which run a FlowRun goes on from. Written by the operator for the FlowRun of a Resume."""

    run_id: str
    from_step: str | None = None


@dataclass(frozen=True, slots=True)
class FlowRunSpec:
    """A FlowRun's `spec`. `parameters`: JSON values by name. `pod_template`: `{metadata, spec}`, as JSON."""

    flow: str
    code: CodeSource
    image: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    max_workers: int = DEFAULT_MAX_WORKERS
    pod_template: Mapping[str, Any] | None = None
    steps: Mapping[str, StepOverride] = field(default_factory=dict)
    suspend: bool = False
    cancel: bool = False
    active_deadline_seconds: int | None = None
    ttl_seconds_after_finished: int | None = None
    store: str | None = None
    resume_from: ResumeFrom | None = None


@dataclass(frozen=True, slots=True)
class ResumeSpec:
    """A Resume's `spec`. One of `origin_ref` (a FlowRun's or Resume's name) and `origin_run_id` is set.

    None means: as in the origin. `flow` says which flow's run `origin_run_id` is: ids are counted per flow.
    """

    origin_ref: str | None = None
    origin_run_id: str | None = None
    flow: str | None = None
    from_step: str | None = None
    code: CodeSource | None = None
    image: str | None = None
    max_workers: int | None = None
    pod_template: Mapping[str, Any] | None = None
    steps: Mapping[str, StepOverride] = field(default_factory=dict)
    suspend: bool = False
    cancel: bool = False
    active_deadline_seconds: int | None = None
    ttl_seconds_after_finished: int | None = None
    store: str | None = None


@dataclass(frozen=True, slots=True)
class Meta:
    """What Reflow reads of an object's metadata. Empty where a manifest hasn't been to an API server yet."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A FlowRun object. `status` is as it came, since only the operator writes it."""

    meta: Meta
    spec: FlowRunSpec
    status: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resume:
    """A Resume object. `status` is as it came, since only the operator writes it."""

    meta: Meta
    spec: ResumeSpec
    status: Mapping[str, Any] = field(default_factory=dict)


Manifest = FlowRun | Resume
