"""The Pod of a task: what Reflow sets, what a user may change, what nobody may."""

from __future__ import annotations

import json
import re
from typing import Any

from reflow.engine.events import Start
from reflow.graph.types import Decorator, Kind, Step
from reflow.manifests.types import FlowRunSpec, Inline, Resources, StepOverride
from reflow.values.key import TaskKey
from reflow_operator.pods import PodDefaults, label_value, pod_name, task_pod
from tests.unit.operator.builders import OWNER

STEP = Step("train", Kind.LINEAR, ("end",))
START = Start(TaskKey("train", (3,)), attempt=1, launch=2)
DEFAULTS = PodDefaults(image="python:3.12", runtime_image="reflow-runtime:1")


def _spec(**changes: Any) -> FlowRunSpec:
    return FlowRunSpec(flow="DebugFlow", code=Inline("x"), **changes)


def _pod(
    spec: FlowRunSpec | None = None, step: Step = STEP, defaults: PodDefaults = DEFAULTS
) -> dict[str, Any]:
    return task_pod(OWNER, spec or _spec(), defaults, step, START, {"v": 1, "step": "train"})


def _container(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = (each for each in pod["spec"]["containers"] if each["name"] == "task")
    return dict(container)


def _env(pod: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in _container(pod)["env"]}


def test_a_pod_meets_the_restricted_security_standard() -> None:
    pod = _pod()
    context = _container(pod)["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["readOnlyRootFilesystem"] is True
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_a_pod_has_no_api_token_and_never_restarts() -> None:
    spec = _pod()["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["restartPolicy"] == "Never"
    assert spec["enableServiceLinks"] is False


def test_its_name_follows_from_run_key_and_launch() -> None:
    assert pod_name(OWNER, START) == pod_name(OWNER, Start(START.key, attempt=9, launch=2))
    others = [
        Start(START.key, launch=3),
        Start(TaskKey("train", (4,)), launch=2),
        Start(TaskKey("train"), launch=2),
    ]
    names = {pod_name(OWNER, each) for each in (START, *others)}
    assert len(names) == 4
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name) and len(name) <= 63 for name in names)


def test_a_name_is_readable_and_valid_whatever_the_step_is_called() -> None:
    name = pod_name(OWNER, Start(TaskKey("Über_Step__with_a_very_long_name_indeed")))
    assert name.startswith("debug-1-ber-step-with-a-v")
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)


def test_label_values_that_kubernetes_refuses_are_hashed() -> None:
    assert label_value("train") == "train"
    assert label_value("_train").startswith("sha256-")
    assert label_value("x" * 64).startswith("sha256-")


def test_the_task_is_told_by_an_environment_variable_which_kubernetes_does_not_expand() -> None:
    pod = task_pod(OWNER, _spec(), DEFAULTS, STEP, START, {"script": "$(HOME)/x.py"})
    assert "$$(HOME)" in _env(pod)["REFLOW_TASK"]
    assert json.loads(_env(_pod())["REFLOW_TASK"]) == {"v": 1, "step": "train"}


def test_the_runtime_comes_by_an_image_volume() -> None:
    pod = _pod()
    volume = next(each for each in pod["spec"]["volumes"] if each["name"] == "reflow-runtime")
    assert volume["image"]["reference"] == "reflow-runtime:1"
    assert _env(pod)["PYTHONPATH"] == "/opt/reflow/reflow"


def test_the_runtime_comes_by_an_init_container_where_there_are_no_image_volumes() -> None:
    pod = _pod(
        defaults=PodDefaults(image="x", runtime_image="reflow-runtime:1", runtime_mode="initContainer")
    )
    (init,) = pod["spec"]["initContainers"]
    assert init["image"] == "reflow-runtime:1"
    assert init["securityContext"]["allowPrivilegeEscalation"] is False
    mounts = [mount["mountPath"] for mount in _container(pod)["volumeMounts"]]
    assert "/opt/reflow" in mounts


def test_image_decorator_spec_and_default_in_this_order() -> None:
    decorated = Step("train", Kind.LINEAR, decorators=(Decorator("kubernetes", {"image": "gpu:1"}),))
    assert _container(_pod())["image"] == "python:3.12"
    assert _container(_pod(_spec(image="mine:1")))["image"] == "mine:1"
    assert _container(_pod(_spec(image="mine:1"), decorated))["image"] == "gpu:1"


def test_decorators_ask_for_resources_and_the_manifest_has_the_last_word() -> None:
    step = Step(
        "train", Kind.LINEAR, decorators=(Decorator("resources", {"cpu": 2, "memory": "4000", "gpu": 1}),)
    )
    resources = _container(_pod(step=step))["resources"]
    assert resources["requests"] == {"cpu": "2000m", "memory": "4000M"}
    assert resources["limits"] == {"memory": "4000M", "nvidia.com/gpu": "1"}
    override = StepOverride(resources=Resources(requests={"cpu": "3"}, limits={"memory": "8Gi"}))
    resources = _container(_pod(_spec(steps={"train": override}), step))["resources"]
    assert resources["requests"]["cpu"] == "3"
    assert resources["limits"]["memory"] == "8Gi"


def test_a_template_changes_the_tasks_container_whatever_it_calls_it() -> None:
    template = {
        "metadata": {"labels": {"team": "red", "reflow.dev/run": "no"}},
        "spec": {
            "serviceAccountName": "trainer",
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "containers": [
                {"name": "mine", "env": [{"name": "A", "value": "1"}]},
                {"name": "side", "image": "s"},
            ],
            "volumes": [{"name": "data", "emptyDir": {}}],
        },
    }
    pod = _pod(_spec(pod_template=template))
    assert pod["metadata"]["labels"]["team"] == "red"
    assert pod["metadata"]["labels"]["reflow.dev/run"] == "debug-1"
    assert pod["spec"]["serviceAccountName"] == "trainer"
    assert [each["name"] for each in pod["spec"]["containers"]] == ["task", "side"]
    assert _env(pod)["A"] == "1"
    assert {"reflow-work", "reflow-store", "data"} <= {each["name"] for each in pod["spec"]["volumes"]}


def test_a_steps_template_lies_over_the_runs() -> None:
    below = {"spec": {"nodeSelector": {"disk": "ssd", "zone": "a"}}}
    above = {"spec": {"nodeSelector": {"zone": None}}}
    pod = _pod(_spec(pod_template=below, steps={"train": StepOverride(pod_template=above)}))
    assert pod["spec"]["nodeSelector"] == {"disk": "ssd"}


def test_a_template_cannot_take_the_pod_over() -> None:
    template = {
        "metadata": {"name": "mine", "namespace": "other"},
        "spec": {
            "restartPolicy": "Always",
            "automountServiceAccountToken": True,
            "containers": [
                {"command": ["sh"], "args": ["-c"], "env": [{"name": "REFLOW_TASK", "value": "{}"}]}
            ],
        },
    }
    pod = _pod(_spec(pod_template=template))
    assert pod["metadata"]["name"] == pod_name(OWNER, START)
    assert pod["metadata"]["namespace"] == "team"
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert _container(pod)["command"] == ["python3", "-m", "reflow.task.pod"]
    assert "args" not in _container(pod)
    assert "train" in _env(pod)["REFLOW_TASK"]


def test_no_secret_is_in_a_pod_only_the_name_of_the_one_it_mounts() -> None:
    assert "secretKey" not in json.dumps(_pod())
    volume = next(each for each in _pod()["spec"]["volumes"] if each["name"] == "reflow-store")
    assert volume == {"name": "reflow-store", "secret": {"secretName": "reflow-store"}}


def test_a_secret_that_a_step_names_is_mounted_as_files_and_in_no_environment() -> None:
    sources = ["kubernetes:db", "env:X", "nonsense", {"type": "kubernetes", "id": "mail"}]
    step = Step("train", Kind.LINEAR, ("end",), decorators=(Decorator("secrets", {"sources": sources}),))
    pod = _pod(step=step)
    named = {volume["secret"]["secretName"] for volume in pod["spec"]["volumes"] if "secret" in volume}
    assert named == {"reflow-store", "db", "mail"}
    paths = [mount["mountPath"] for mount in _container(pod)["volumeMounts"]]
    assert {"/var/run/secrets/reflow.dev/named/db", "/var/run/secrets/reflow.dev/named/mail"} <= set(paths)
    assert _env(pod)["REFLOW_SECRETS"] == "/var/run/secrets/reflow.dev/named"
