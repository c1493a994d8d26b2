"""The Pod of a task, as JSON. Pure.

From below to above: what Reflow wants by default, the operator's default resources, the step's decorators,
the FlowRun's podTemplate, the step's podTemplate, the step's resources; and last what must be so whatever a
user wrote: names, labels, the task itself, the store's Secret, no API token.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from reflow.engine.events import Start
from reflow.graph.types import Step
from reflow.manifests.types import FlowRunSpec
from reflow.sdk.decorators.secrets import parsed
from reflow.values.errors import FlowError
from reflow_operator import constants
from reflow_operator.podmerge import lay_over, merge

Json = dict[str, Any]
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
USER_ID = 65532


@dataclass(frozen=True, slots=True)
class Owner:
    """The FlowRun that a Pod is for, and its run."""

    namespace: str
    name: str
    uid: str
    flow: str
    run: str


@dataclass(frozen=True, slots=True)
class PodDefaults:
    """What the operator's settings say of every Pod. `runtime_mode`: imageVolume, initContainer or image."""

    image: str = ""
    runtime_image: str = ""
    runtime_mode: str = "imageVolume"
    pull_policy: str = "IfNotPresent"
    resources: Mapping[str, Any] = field(default_factory=dict)
    grace_seconds: int = 30


def task_pod(
    owner: Owner, spec: FlowRunSpec, defaults: PodDefaults, step: Step, start: Start, task: Mapping[str, Any]
) -> Json:
    """The Pod of one launch. `task`: what the runner gets as REFLOW_TASK."""
    override = spec.steps.get(step.name)
    pod = _base(spec, defaults, _decorated_image(step))
    pod = _with_resources(pod, defaults.resources)
    pod = _with_resources(pod, decorated_resources(step))
    pod = _with_secrets(pod, step)
    pod = lay_over(pod, spec.pod_template)
    pod = lay_over(pod, override.pod_template if override else None)
    if override and override.resources:
        asked = {"requests": override.resources.requests, "limits": override.resources.limits}
        pod = _with_resources(pod, {name: dict(values) for name, values in asked.items() if values})
    labels = {
        constants.LABEL_OP: constants.OP_TASK,
        constants.LABEL_STEP: label_value(step.name),
        constants.LABEL_TASK: label_value(start.key.id),
    }
    annotations = {
        constants.ANNOTATION_TASK: launch_annotation(start),
        constants.ANNOTATION_PATHSPEC: f"{owner.flow}/{owner.run}/{start.key.path}",
    }
    return _enforced(pod, owner, defaults, pod_name(owner, start), labels, annotations, task)


def graph_pod(owner: Owner, spec: FlowRunSpec, defaults: PodDefaults, task: Mapping[str, Any]) -> Json:
    """The Pod that loads the script and says what its graph is, where the syntax tree doesn't settle it."""
    pod = _with_resources(_base(spec, defaults, None), defaults.resources)
    pod = lay_over(pod, spec.pod_template)
    labels = {constants.LABEL_OP: constants.OP_GRAPH}
    return _enforced(pod, owner, defaults, graph_pod_name(owner), labels, {}, task)


def pod_name(owner: Owner, start: Start) -> str:
    """The same for the same run UID, key and launch, so that a second create of it is refused."""
    key = start.key
    text = f"{owner.uid}/{key.step}/{key.foreach}/{key.loop}/{start.launch}"
    return f"{_readable(owner.name, 30)}-{_readable(key.step, 18)}-{_digest(text)}"


def graph_pod_name(owner: Owner) -> str:
    """The name of the Pod that reads the graph: one for each FlowRun."""
    return f"{_readable(owner.name, 30)}-graph-{_digest(owner.uid + '/graph')}"


def launch_annotation(start: Start) -> str:
    """Key, attempt and launch, exactly: `podview` reads it back after the operator was restarted."""
    key = start.key
    task = {
        "step": key.step,
        "foreach": key.foreach,
        "loop": key.loop,
        "attempt": start.attempt,
        "launch": start.launch,
    }
    return json.dumps(task, separators=(",", ":"))


def label_value(text: str) -> str:
    """`text` where it may be a label's value, else a hash of it."""
    return text if _LABEL.fullmatch(text) else f"sha256-{_digest(text)}"


def decorated_resources(step: Step) -> Json:
    """What @resources or @kubernetes ask for; the larger of two, as in Metaflow. Memory and disk are in MB
    there.
    """
    asked: dict[str, float] = {}
    for decorator in step.decorators:
        if decorator.name in ("resources", "kubernetes"):
            for name in ("cpu", "memory", "disk", "gpu"):
                value = _amount(decorator.attributes.get(name))
                if value is not None:
                    asked[name] = max(value, asked.get(name, 0.0))
    requests = {}
    limits = {}
    if "cpu" in asked:
        requests["cpu"] = f"{round(asked['cpu'] * 1000)}m"
    if "memory" in asked:
        requests["memory"] = limits["memory"] = f"{round(asked['memory'])}M"
    if "disk" in asked:
        requests["ephemeral-storage"] = limits["ephemeral-storage"] = f"{round(asked['disk'])}M"
    if asked.get("gpu"):
        limits["nvidia.com/gpu"] = str(round(asked["gpu"]))
    return {name: values for name, values in (("requests", requests), ("limits", limits)) if values}


def _amount(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _decorated_image(step: Step) -> str | None:
    for decorator in step.decorators:
        image = decorator.attributes.get("image") if decorator.name == "kubernetes" else None
        if isinstance(image, str) and image:
            return image
    return None


def _base(spec: FlowRunSpec, defaults: PodDefaults, image: str | None) -> Json:
    """What a user may change: a non-root container on a read-only root, with a folder of its own."""
    container: Json = {
        "name": constants.CONTAINER,
        "image": image or spec.image or defaults.image,
        "imagePullPolicy": defaults.pull_policy,
        "workingDir": constants.WORK_PATH,
        "env": [
            {"name": "HOME", "value": constants.WORK_PATH},
            {"name": "TMPDIR", "value": "/tmp"},
            {"name": "PYTHONPATH", "value": f"{constants.RUNTIME_PATH}/{constants.RUNTIME_FOLDER}"},
            {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
        ],
        "volumeMounts": [
            {"name": "reflow-work", "mountPath": constants.WORK_PATH},
            {"name": "reflow-tmp", "mountPath": "/tmp"},
        ],
        "securityContext": _restricted(),
    }
    return {
        "metadata": {},
        "spec": {
            "containers": [container],
            "volumes": [{"name": "reflow-work", "emptyDir": {}}, {"name": "reflow-tmp", "emptyDir": {}}],
            "terminationGracePeriodSeconds": defaults.grace_seconds,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER_ID,
                "runAsGroup": USER_ID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    }


def _restricted() -> Json:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _with_secrets(pod: Json, step: Step) -> Json:
    """The Secrets that @secrets names, each a folder of files: in the environment they'd be there for all to see."""
    names = sorted(_secret_names(step))
    if not names:
        return pod
    volumes = [{"name": f"secret-{i}", "secret": {"secretName": name}} for i, name in enumerate(names)]
    mounts = [
        {"name": f"secret-{i}", "mountPath": f"{constants.SECRETS_PATH}/{name}", "readOnly": True}
        for i, name in enumerate(names)
    ]
    env = [{"name": "REFLOW_SECRETS", "value": constants.SECRETS_PATH}]
    container = {"name": constants.CONTAINER, "env": env, "volumeMounts": mounts}
    return merge(pod, {"spec": {"containers": [container], "volumes": volumes}})


def _secret_names(step: Step) -> set[str]:
    sources = [s for d in step.decorators if d.name == "secrets" for s in d.attributes.get("sources", ())]
    names = set()
    for source in sources:
        with suppress(FlowError):  # the task itself says what is wrong with it
            kind, name, _ = parsed(source)
            if kind == "kubernetes":
                names.add(name)
    return names


def _with_resources(pod: Json, resources: Mapping[str, Any]) -> Json:
    if not resources:
        return pod
    return merge(pod, {"spec": {"containers": [{"name": constants.CONTAINER, "resources": resources}]}})


def _enforced(
    pod: Json,
    owner: Owner,
    defaults: PodDefaults,
    name: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    task: Mapping[str, Any],
) -> Json:
    """What must be so, over what a user wrote."""
    metadata = {
        "name": name,
        "namespace": owner.namespace,
        "labels": {
            **_users(pod["metadata"].get("labels")),
            constants.LABEL_MANAGED_BY: constants.MANAGED_BY,
            constants.LABEL_RUN: label_value(owner.name),
            constants.LABEL_RUN_UID: owner.uid,
            constants.LABEL_FLOW: label_value(owner.flow),
            **labels,
        },
        "annotations": {**_users(pod["metadata"].get("annotations")), **annotations},
        "ownerReferences": [
            {
                "apiVersion": constants.API_VERSION,
                "kind": "FlowRun",
                "name": owner.name,
                "uid": owner.uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }
    container = {
        "name": constants.CONTAINER,
        "command": ["python3", "-m", "reflow.task.pod"],
        "args": None,
        "env": [
            {"name": "REFLOW_TASK", "value": _env_json(task)},
            {"name": "REFLOW_STORE_SECRET", "value": constants.SECRET_PATH},
            {"name": "REFLOW_POD", "value": name},
        ],
        "volumeMounts": [
            {"name": "reflow-store", "mountPath": constants.SECRET_PATH, "readOnly": True},
        ],
        "terminationMessagePolicy": "File",
    }
    spec = {
        "containers": [container],
        "volumes": [{"name": "reflow-store", "secret": {"secretName": constants.SECRET_NAME}}],
        "restartPolicy": "Never",
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
    }
    enforced = merge(pod, {"spec": _runtime(spec, defaults)})
    return {"apiVersion": "v1", "kind": "Pod", **enforced, "metadata": metadata}


def _runtime(spec: Json, defaults: PodDefaults) -> Json:
    """How the runtime gets into the Pod: it wins over one in the image, being first on PYTHONPATH."""
    if defaults.runtime_mode == "image":
        return spec
    mount = {"name": "reflow-runtime", "mountPath": constants.RUNTIME_PATH, "readOnly": True}
    if defaults.runtime_mode == "imageVolume":
        image = {"reference": defaults.runtime_image, "pullPolicy": defaults.pull_policy}
        volume: Json = {"name": "reflow-runtime", "image": image}
    else:
        volume = {"name": "reflow-runtime", "emptyDir": {}}
        copy = {
            "name": "reflow-runtime",
            "image": defaults.runtime_image,
            "imagePullPolicy": defaults.pull_policy,
            "command": ["cp", "-R", f"/{constants.RUNTIME_FOLDER}", f"{constants.RUNTIME_PATH}/"],
            "volumeMounts": [{"name": "reflow-runtime", "mountPath": constants.RUNTIME_PATH}],
            "securityContext": _restricted(),
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        }
        spec = {**spec, "initContainers": [copy]}
    (container,) = spec["containers"]
    container = {**container, "volumeMounts": [*container["volumeMounts"], mount]}
    return {**spec, "containers": [container], "volumes": [*spec["volumes"], volume]}


def _users(values: Mapping[str, str] | None) -> dict[str, str]:
    """The user's own labels or annotations: those below reflow.dev are ours."""
    return {key: value for key, value in (values or {}).items() if not key.startswith(f"{constants.GROUP}/")}


def _readable(text: str, limit: int) -> str:
    """Part of a name: lower case, digits and dashes."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[:limit].strip("-") or "x"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _env_json(task: Mapping[str, Any]) -> str:
    # Kubernetes would take `$(NAME)` in a variable for a reference to another one.
    return json.dumps(task, separators=(",", ":")).replace("$(", "$$(")
