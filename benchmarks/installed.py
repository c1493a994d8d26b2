"""Reflow on the test cluster, installed by its chart into namespaces of the benchmarks' own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import Broken
from benchmarks.kube import Api, Json
from reflow.store.flowstore import FlowStore
from reflow.store.s3_minio import MinioS3
from reflow.store.s3_url import S3Address
from tests.cluster import cluster, settings
from tests.cluster.shell import ClusterError

REPO = Path(__file__).resolve().parents[1]
API = "/apis/reflow.dev/v1alpha1"
NODE = {"kubernetes.io/hostname": settings.node_name(1)}  # all Pods that are compared run on one node


@dataclass(frozen=True, slots=True)
class Installation:
    """`namespace`: what the operator sees to; the rest is where everything else is."""

    api: Api
    environment: Mapping[str, str]
    system: str
    namespace: str
    runtime_image: str

    @property
    def image(self) -> str:
        return self.environment["REFLOW_TEST_PYTHON_IMAGE"]

    @property
    def store_url(self) -> str:
        """The namespace's store, as a laptop names it."""
        bucket, endpoint = (
            self.environment["REFLOW_TEST_S3_BUCKET"],
            self.environment["REFLOW_TEST_S3_ENDPOINT"],
        )
        return f"s3://{bucket}/{self.system}/{self.namespace}?endpoint={endpoint}"

    @property
    def store_environment(self) -> dict[str, str]:
        """What a laptop's environment needs to use it."""
        return {
            "REFLOW_STORE": self.store_url,
            "AWS_ACCESS_KEY_ID": self.environment["REFLOW_TEST_S3_ACCESS_KEY"],
            "AWS_SECRET_ACCESS_KEY": self.environment["REFLOW_TEST_S3_SECRET_KEY"],
        }

    def store(self, flow: str) -> FlowStore:
        return FlowStore(MinioS3(S3Address.parse(self.store_url, self.store_environment)), flow)

    def path(self, plural: str, name: str = "") -> str:
        return f"{API}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def create_flowrun(self, name: str, flow: str, source: str, **spec: object) -> None:
        template = {"spec": {"nodeSelector": NODE}}
        self._create(
            "FlowRun", name, {"flow": flow, "code": _inline(source), "podTemplate": template, **spec}
        )

    def create_resume(self, name: str, flow: str, source: str, origin_run: str) -> None:
        self._create("Resume", name, {"originRunID": origin_run, "flow": flow, "code": _inline(source)})

    def delete(self, plural: str, name: str) -> None:
        self.api.request("DELETE", self.path(plural, name), ignore=404)

    def wait_complete(self, name: str, timeout: int) -> None:
        """Raises Broken where the FlowRun doesn't get there."""
        wait = ("wait", f"flowrun/{name}", "--for=condition=Complete", f"--timeout={timeout}s")
        self.command("kubectl", "-n", self.namespace, *wait, timeout=timeout + 20)

    def command(self, *words: str, timeout: float = 120) -> str:
        return _command(self.environment, *words, timeout=timeout)

    def _create(self, kind: str, name: str, spec: Json) -> None:
        body = {"apiVersion": "reflow.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.api.request("POST", self.path(f"{kind.lower()}s"), body)


def _inline(source: str) -> Json:
    return {"script": "flow.py", "inline": source}


def _command(environment: Mapping[str, str], *words: str, timeout: float = 120) -> str:
    ran = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env={**os.environ, **environment},
        cwd=REPO,
    )
    if ran.returncode != 0:
        raise Broken(f"`{' '.join(words)[:300]}`: {ran.stdout[-1000:]}{ran.stderr[-2000:]}")
    return ran.stdout


@contextmanager
def installed(pods_endpoint: str = "") -> Iterator[Installation]:
    """A release of the chart and two namespaces, gone afterwards. Raises Broken where there is no cluster.

    `pods_endpoint`: where operator and Pods find the store, if it isn't the cluster's own MinIO.
    """
    try:
        environment = cluster.environment()
    except ClusterError as problem:
        raise Broken(f"{problem}") from None
    built = _command(environment, sys.executable, "-m", "tests.cluster", "images", timeout=900)
    images: dict[str, str] = json.loads(built.strip().splitlines()[-1])
    tag = f"bench-{uuid.uuid4().hex[:6]}"
    found = Installation(
        Api.of(environment["KUBECONFIG"]), environment, f"{tag}-system", tag, images["runtime"]
    )
    try:
        for namespace in (found.system, found.namespace):
            found.command("kubectl", "create", "namespace", namespace)
        if "flowruns.reflow.dev" not in found.command("kubectl", "get", "crd", "-o", "name"):
            found.command("kubectl", "apply", "--server-side", "-f", "crds")
        found.command("helm", "install", "bench", "helm", "-n", found.system, *_values(found, images, pods_endpoint),
                      "--wait", "--timeout=90s")  # fmt: skip
        yield found
    finally:
        _remove(found)


def _values(found: Installation, images: Mapping[str, str], endpoint: str) -> list[str]:
    """No resource requests for tasks: the bare Pods beside them have none either."""
    values = {
        "image": images["operator"],
        "runtime.image": images["runtime"],
    }
    words = []
    for name, image in values.items():
        repository, _, tag = image.rpartition(":")
        words += ["--set", f"{name}.repository={repository}", "--set-string", f"{name}.tag={tag}"]
    given = (
        f"defaultImage={found.image}",
        "defaultResources.requests=null",
        f"watchNamespaces={{{found.namespace}}}",
        f"store.namespaces={{{found.namespace}}}",
        f"s3.endpoint={endpoint or found.environment['REFLOW_TEST_S3_ENDPOINT_IN_CLUSTER']}",
        f"s3.bucket={found.environment['REFLOW_TEST_S3_BUCKET']}",
        f"s3.prefix={found.system}",
        f"s3.accessKey={found.environment['REFLOW_TEST_S3_ACCESS_KEY']}",
        f"s3.secretKey={found.environment['REFLOW_TEST_S3_SECRET_KEY']}",
        "crds.install=false",
        "operator.logFormat=text",
    )
    return [*words, *(word for setting in given for word in ("--set", setting))]


def _remove(found: Installation) -> None:
    """Best effort, each part whether or not another went wrong."""
    for words in (
        ("kubectl", "-n", found.namespace, "delete", "flowruns,resumes", "--all", "--timeout=60s"),
        ("helm", "uninstall", "bench", "-n", found.system, "--wait", "--timeout=60s"),
        ("kubectl", "delete", "namespace", found.namespace, found.system, "--wait=false"),
    ):
        try:
            found.command(*words, timeout=90)
        except (Broken, subprocess.TimeoutExpired) as problem:
            print(f"  left behind: {problem}", file=sys.stderr)
