"""The chart installed by Helm on the test cluster, with an operator that sees to one namespace only."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import cluster
from tests.cluster.shell import ClusterError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

REPO = Path(__file__).resolve().parents[3]
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


@dataclass(frozen=True, slots=True)
class Installation:
    """A release named `reflow` in `system`, which sees to `team`. `values`: what it was installed with."""

    environment: Mapping[str, str]
    system: str
    team: str
    values: tuple[str, ...]

    def run(self, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env={**os.environ, **self.environment},
            cwd=REPO,
        )

    def must(self, *command: str, timeout: float = 120) -> str:
        ran = self.run(*command, timeout=timeout)
        assert ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def helm(self, verb: str, *more: str) -> subprocess.CompletedProcess[str]:
        """`install` or `upgrade`, with the values."""
        sets = [
            part for value in self.values for part in ("--set-string" if "tag" in value else "--set", value)
        ]
        return self.run("helm", verb, "reflow", "helm", "-n", self.system, *sets, *more)

    def may(self, question: str, namespace: str, who: str | None = None) -> bool:
        """Whether the operator's account, or somebody else, may do it, such as `get pods/log`."""
        verb, resource = question.split()
        # What stands behind the slash is an object's name for kubectl.
        resource, _, part = resource.partition("/")
        asked = [f"{resource}/{part}"] if resource == "secrets" and part else [resource]
        asked += [f"--subresource={part}"] if resource != "secrets" and part else []
        account = who or f"system:serviceaccount:{self.system}:reflow"
        answer = self.run("kubectl", "auth", "can-i", verb, *asked, "-n", namespace, "--as", account)
        return answer.stdout.strip() == "yes"

    def secret(self) -> dict[str, str]:
        data = json.loads(
            self.must("kubectl", "-n", self.team, "get", "secret", "reflow-store", "-o", "json")
        )["data"]
        return {name: base64.b64decode(value).decode() for name, value in data.items()}


def images() -> dict[str, str]:
    built = subprocess.run(
        [sys.executable, "-m", "tests.cluster", "images"],
        capture_output=True, text=True, check=False, timeout=600, cwd=REPO,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    found: dict[str, str] = json.loads(built.stdout.strip().splitlines()[-1])
    return found


def image_values(prefix: str, image: str) -> tuple[str, str]:
    repository, _, tag = image.rpartition(":")
    return f"{prefix}repository={repository}", f"{prefix}tag={tag}"


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    try:
        environment = cluster.environment()
    except ClusterError as error:
        pytest.skip(f"No cluster: {error}")
    system, team = (f"chart-{uuid.uuid4().hex[:6]}-{part}" for part in ("system", "team"))
    built = images()
    there = Installation(environment, system, team, ()).run("kubectl", "get", "crd", "flowruns.reflow.dev")
    values = (
        *image_values("image.", built["operator"]),
        *image_values("runtime.image.", built["runtime"]),
        f"defaultImage={environment['REFLOW_TEST_PYTHON_IMAGE']}",
        f"watchNamespaces={{{team}}}",
        f"store.namespaces={{{team}}}",
        f"s3.endpoint={environment['REFLOW_TEST_S3_ENDPOINT_IN_CLUSTER']}",
        f"s3.bucket={environment['REFLOW_TEST_S3_BUCKET']}",
        f"s3.prefix={system}",
        "s3.existingSecret=keys",
        "s3.existingSecretKeys.accessKey=user",
        f"crds.install={'false' if there.returncode == 0 else 'true'}",
        "rbac.aggregateToDefaultRoles=true",
    )
    found = Installation(environment, system, team, values)
    for namespace in (system, team):
        found.must("kubectl", "create", "namespace", namespace)
        found.must("kubectl", "label", "namespace", namespace, RESTRICTED)
    try:
        yield found
    finally:
        found.run("kubectl", "-n", team, "delete", "flowruns,resumes", "--all", "--timeout=60s")
        found.run("helm", "uninstall", "reflow", "-n", system, "--wait")
        for namespace in (system, team):
            found.run("kubectl", "delete", "namespace", namespace, "--wait=false")
        if there.returncode != 0:
            found.run("kubectl", "delete", "-f", "crds", "--timeout=30s")


def test_the_chart_as_users_install_it(installed: Installation) -> None:
    """One story, in the order in which it happens."""
    no_secret = installed.helm("install", "--dry-run=server")
    assert f"There is no Secret keys in namespace {installed.system}" in no_secret.stderr

    key, secret = (installed.environment[f"REFLOW_TEST_S3_{name}"] for name in ("ACCESS_KEY", "SECRET_KEY"))
    create = ("kubectl", "-n", installed.system, "create", "secret", "generic", "keys")
    installed.must(*create, f"--from-literal=user={key}")
    half_a_secret = installed.helm("install", "--dry-run=server")
    assert "has no secretKey; s3.existingSecretKeys says which" in half_a_secret.stderr
    installed.must("kubectl", "-n", installed.system, "delete", "secret", "keys")
    installed.must(*create, f"--from-literal=user={key}", f"--from-literal=secretKey={secret}")

    ran = installed.helm("install", "--wait", "--timeout=90s")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"A store is set up for: {installed.team}." in ran.stdout
    assert installed.secret() == {
        "endpoint": installed.environment["REFLOW_TEST_S3_ENDPOINT_IN_CLUSTER"],
        "bucket": installed.environment["REFLOW_TEST_S3_BUCKET"],
        "prefix": installed.system,
        "region": "us-east-1",
        "accessKey": key,
        "secretKey": secret,
    }
    tested = installed.must("helm", "test", "reflow", "-n", installed.system, "--timeout=60s")
    assert "Succeeded" in tested

    team, system = installed.team, installed.system
    for allowed in (
        "get secrets/reflow-store", "deletecollection pods", "create pods", "get pods/log", "create events",
        "create flowruns.reflow.dev", "patch flowruns.reflow.dev/status", "patch resumes.reflow.dev/status",
    ):  # fmt: skip
        assert installed.may(allowed, team), allowed
    for namespace, refused in (
        (team, "list secrets"), (team, "get secrets/other"), (team, "update pods"), (team, "create pods/exec"),
        (team, "get nodes"), (team, "list namespaces"), (system, "get secrets/reflow-store"),
        (system, "get secrets/keys"), (system, "list pods"), ("default", "create pods"),
    ):  # fmt: skip
        assert not installed.may(refused, namespace), (refused, namespace)

    installed.must("kubectl", "-n", team, "create", "rolebinding", "ann", "--clusterrole=edit", "--user=ann")
    assert installed.may("create flowruns.reflow.dev", team, who="ann")
    assert not installed.may("create flowruns.reflow.dev", team, who="bob")

    installed.must("kubectl", "-n", team, "apply", "-f", "examples/hello/flowrun.yaml")
    wait = ("wait", "flowrun/hello-1", "--for=condition=Complete", "--timeout=90s")
    ended = installed.run("kubectl", "-n", team, *wait)
    about = installed.run("kubectl", "-n", team, "describe", "flowrun", "hello-1").stdout
    logs = installed.run("kubectl", "-n", system, "logs", "deployment/reflow", "--tail=50").stdout
    assert ended.returncode == 0, about + logs
    assert "forbidden" not in logs.lower()

    again = installed.helm("upgrade", "--set", "s3.prefix=other", "--wait", "--timeout=90s")
    assert again.returncode == 0, again.stderr
    assert installed.secret()["prefix"] == "other"

    installed.must("helm", "uninstall", "reflow", "-n", system, "--wait", "--timeout=60s")
    assert "hello-1" in installed.must("kubectl", "-n", team, "get", "flowruns", "-o", "name")
