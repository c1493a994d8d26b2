"""The chart as Helm renders it, without a cluster."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from reflow_operator.settings import Settings, parse_settings

CHART = Path(__file__).resolve().parents[3] / "helm"
CRDS = CHART.parent / "crds"
STORE = ("store.namespaces={team-a,team-b}", "s3.bucket=reflow", "s3.endpoint=http://10.0.0.1:9000")
KEYS = ("s3.accessKey=key", "s3.secretKey=secret")
ALL_ON = ("networkPolicy.enabled=true", "podDisruptionBudget.enabled=true", "serviceMonitor.enabled=true")

Objects = list[dict[str, Any]]
Render = Callable[..., Objects]


def run(helm: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Nothing of a cluster that happens to be there.
    environment = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    return subprocess.run(
        [helm, *arguments], capture_output=True, text=True, check=False, timeout=60, env=environment
    )


def arguments(values: tuple[str, ...]) -> list[str]:
    return ["reflow", str(CHART), "-n", "reflow-system", *(f"--set={value}" for value in values)]


@pytest.fixture(scope="session")
def render(helm: str) -> Render:
    def rendered(*values: str) -> Objects:
        ran = run(helm, "template", *arguments(values))
        assert ran.returncode == 0, ran.stderr
        return [found for found in yaml.safe_load_all(ran.stdout) if found]

    return rendered


@pytest.fixture(scope="session")
def refusal(helm: str) -> Callable[..., str]:
    def refused(*values: str) -> str:
        ran = run(helm, "template", *arguments(values))
        assert ran.returncode != 0
        return ran.stderr

    return refused


def of(kind: str, objects: Objects) -> Objects:
    return [found for found in objects if found["kind"] == kind]


def environment(objects: Objects) -> dict[str, str]:
    (deployment,) = of("Deployment", objects)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"]}


def test_helm_finds_nothing_to_complain_about(helm: str) -> None:
    sets = [f"--set={value}" for value in (*STORE, *ALL_ON)]
    ran = run(helm, "lint", "--strict", str(CHART), *sets)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_crds_are_the_repositorys_and_stay_at_uninstall(render: Render) -> None:
    installed = {found["metadata"]["name"]: found for found in of("CustomResourceDefinition", render())}
    for file in CRDS.iterdir():
        ours = yaml.safe_load(file.read_text())
        found = installed.pop(ours["metadata"]["name"])
        assert found["spec"] == ours["spec"]
        assert found["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
        assert found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    assert installed == {}


def test_crds_may_be_left_to_others(render: Render) -> None:
    assert of("CustomResourceDefinition", render("crds.install=false")) == []


def test_the_operator_reads_its_settings_from_what_the_chart_sets(render: Render) -> None:
    values = (
        "watchNamespaces={a,b}",
        "runtime.mode=initContainer",
        "runtime.image.repository=r.example/runtime",
        "runtime.image.tag=v7",
        "defaultImage=python:3.12",
        "operator.workers=3",
        "operator.qps=12",
        "operator.logFormat=text",
        "defaultResources.requests.cpu=1",
    )
    assert parse_settings([], environment(render(*values))) == Settings(
        namespaces=("a", "b"),
        runtime_mode="initContainer",
        runtime_image="r.example/runtime:v7",
        default_image="python:3.12",
        workers=3,
        qps=12,
        log_format="text",
        default_resources={"requests": {"cpu": 1, "memory": "128Mi"}},
    )


def test_an_images_tag_is_the_charts_version_unless_one_is_given_and_a_digest_wins(render: Render) -> None:
    def image(*values: str) -> str:
        (deployment,) = of("Deployment", render(*values))
        found: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        return found

    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    assert image() == f"reflow-operator:{version}"
    assert image("image.tag=v7") == "reflow-operator:v7"
    digest = "sha256:" + "0" * 64
    assert image("image.tag=v7", f"image.digest={digest}") == f"reflow-operator@{digest}"


def test_without_names_the_operator_may_act_everywhere(render: Render) -> None:
    objects = render("rbac.aggregateToDefaultRoles=false")
    assert len(of("ClusterRole", objects)) == len(of("ClusterRoleBinding", objects)) == 1
    assert of("Role", objects) == []


def test_with_names_the_operator_may_act_there_and_nowhere_else(render: Render) -> None:
    objects = render("rbac.aggregateToDefaultRoles=false", "watchNamespaces={a,b}")
    assert of("ClusterRole", objects) == of("ClusterRoleBinding", objects) == []
    assert [role["metadata"]["namespace"] for role in of("Role", objects)] == ["a", "b"]
    for binding in of("RoleBinding", objects):
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": "reflow", "namespace": "reflow-system"}
        ]


def test_releases_of_the_same_name_in_two_namespaces_dont_collide(helm: str) -> None:
    def outside(namespace: str, *more: str) -> set[tuple[str, str]]:
        ran = run(helm, "template", "reflow", str(CHART), "-n", namespace, *more)
        objects = [found for found in yaml.safe_load_all(ran.stdout) if found]
        return {
            (found["kind"], found["metadata"]["name"])
            for found in objects
            if found["metadata"].get("namespace") != namespace and found["kind"] != "CustomResourceDefinition"
        }

    for more in ((), ("--set", "watchNamespaces={a}")):
        one, other = outside("one", *more), outside("other", *more)
        assert one
        assert not one & other


def test_a_store_is_made_in_the_namespaces_named_and_no_other(render: Render) -> None:
    secrets = of("Secret", render(*STORE, *KEYS, "s3.prefix=flows"))
    assert [secret["metadata"]["namespace"] for secret in secrets] == ["team-a", "team-b"]
    for secret in secrets:
        assert secret["metadata"]["name"] == "reflow-store"
        assert {name: base64.b64decode(value).decode() for name, value in secret["data"].items()} == {
            "endpoint": "http://10.0.0.1:9000",
            "bucket": "reflow",
            "prefix": "flows",
            "region": "us-east-1",
            "accessKey": "key",
            "secretKey": "secret",
        }


def test_without_keys_a_store_relies_on_ambient_identity(render: Render) -> None:
    for secret in of("Secret", render(*STORE)):
        assert set(secret["data"]) == {"endpoint", "bucket", "prefix", "region"}


def test_no_store_is_made_where_none_is_asked_for(render: Render) -> None:
    assert of("Secret", render("s3.bucket=reflow", *KEYS)) == []


def test_no_broken_store_is_made_where_the_existing_secret_can_not_be_read(render: Render) -> None:
    assert of("Secret", render(*STORE, "s3.existingSecret=keys")) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("store.namespaces={a}",), "store.namespaces needs a store: set s3.bucket"),
        ((*STORE, "s3.accessKey=a"), "s3.accessKey and s3.secretKey go together"),
        ((*STORE, *KEYS, "s3.existingSecret=b"), "s3.existingSecret and s3.accessKey exclude each other"),
        (("serviceAccount.create=false",), "serviceAccount.name must name an existing ServiceAccount"),
        (("image.tag=latest",), "values don't meet the specifications of the schema"),
        (("imgae.tag=1",), "additional properties 'imgae' not allowed"),
    ],
)
def test_values_that_contradict_each_other_are_refused(
    refusal: Callable[..., str], values: tuple[str, ...], message: str
) -> None:
    assert message in refusal(*values)


def test_switches_add_what_they_name(render: Render) -> None:
    extra = {"NetworkPolicy", "PodDisruptionBudget", "ServiceMonitor"}
    kinds = {found["kind"] for found in render()}
    assert kinds & extra == set()
    assert {found["kind"] for found in render(*ALL_ON)} - kinds == extra


def test_every_pod_fits_the_restricted_pod_security_standard(render: Render) -> None:
    objects = render()
    pods = [of("Deployment", objects)[0]["spec"]["template"], *of("Pod", objects)]
    assert len(pods) == 2
    for pod in pods:
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["spec"]["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"]


def test_there_is_one_operator_at_a_time(render: Render) -> None:
    (deployment,) = of("Deployment", render())
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_the_test_pods_program_is_python(render: Render) -> None:
    (pod,) = of("Pod", render())
    (container,) = pod["spec"]["containers"]
    compile(container["command"][2], "test", "exec")
    assert container["env"] == [{"name": "OPERATOR", "value": "REFLOW"}]


def test_everything_has_labels_that_tell_whose_it_is(render: Render) -> None:
    for found in render(*STORE, *ALL_ON):
        assert found["metadata"]["labels"]["app.kubernetes.io/part-of"] == "reflow", json.dumps(found)[:200]


def test_a_packed_chart_is_the_same(helm: str, render: Render, tmp_path: Path) -> None:
    ran = run(helm, "package", str(CHART), "-d", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    (packed,) = tmp_path.iterdir()
    ran = run(helm, "template", "reflow", str(packed), "-n", "reflow-system")
    assert [found for found in yaml.safe_load_all(ran.stdout) if found] == render()
