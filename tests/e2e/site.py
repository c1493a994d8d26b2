"""The chart, installed once for the whole suite, and the namespaces that its operator sees to."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.e2e.bucket import Bucket
from tests.e2e.kubectl import REPO, Json, Shell

RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"
# `nowhere` has no store, `unreachable` one that nobody answers for, `refused` one with a wrong key.
WITH_STORE = ("story", "flows", "inputs", "ending", "faults")
WITHOUT = ("nowhere", "unreachable", "refused")


@dataclass(frozen=True)
class Site:
    """A release named `reflow` in the namespace `system`. `names`: what a namespace is called in the cluster."""

    shell: Shell
    system: str
    images: dict[str, str]
    names: Mapping[str, str] = field(default_factory=dict)

    def helm(self, verb: str, *more: str, timeout: float = 150) -> str:
        return self.shell.must("helm", verb, "reflow", *more, "-n", self.system, timeout=timeout)

    def operator_log(self, lines: int = 200) -> str:
        parts = ("--tail", str(lines), "--prefix")
        return self.shell.run(
            "kubectl", "-n", self.system, "logs", "-l", "app.kubernetes.io/name=reflow", *parts
        ).stdout

    def await_operator(self) -> None:
        """Ready again."""
        self.shell.must(
            "kubectl", "-n", self.system, "rollout", "status", "deployment/reflow", "--timeout=90s"
        )

    def operator_pods(self) -> list[str]:
        selector = ("-l", "app.kubernetes.io/name=reflow", "--field-selector=status.phase=Running")
        found = self.shell.must("kubectl", "-n", self.system, "get", "pods", *selector, "-o", "name")
        return found.split()


@dataclass(frozen=True)
class Team:
    """One namespace that runs flows, as its users see it."""

    site: Site
    namespace: str
    bucket: Bucket

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        return self.site.shell.must("kubectl", "-n", self.namespace, *arguments, stdin=stdin, timeout=timeout)

    def tries(self, *arguments: str, stdin: str | None = None) -> tuple[int, str]:
        """For what may be refused: the exit code, and all that was said."""
        ran = self.site.shell.run("kubectl", "-n", self.namespace, *arguments, stdin=stdin)
        return ran.returncode, ran.stdout + ran.stderr

    def apply(self, *objects: Json) -> None:
        self.kubectl("apply", "--validate=strict", "-f", "-", stdin=as_list(objects))

    def get(self, name: str, kind: str = "flowrun") -> Json:
        found: Json = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return found

    def status(self, name: str, kind: str = "flowrun") -> Json:
        found: Json = self.get(name, kind).get("status") or {}
        return found

    def wait(self, name: str, condition: str, kind: str = "flowrun", timeout: int = 90) -> Json:
        """Until the condition is true. The status then."""
        self._wait(f"{kind}/{name}", f"--for=condition={condition}", timeout)
        return self.status(name, kind)

    def over(self, name: str, kind: str = "flowrun", timeout: int = 90) -> Json:
        """Until it is over, however it ended. The status then."""
        self._wait(f"{kind}/{name}", "--for=jsonpath={.status.completionTime}", timeout)
        return self.status(name, kind)

    def _wait(self, what: str, wanted: str, timeout: int) -> None:
        ran = self.site.shell.run(
            "kubectl", "-n", self.namespace, "wait", what, wanted, f"--timeout={timeout}s",
            timeout=timeout + 30,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr + self.describe(*what.split("/"))

    def describe(self, kind: str, name: str) -> str:
        return self.site.shell.run("kubectl", "-n", self.namespace, "describe", kind, name).stdout

    def pods(self, run: str | None = None) -> list[Json]:
        """Pods of tasks, of one FlowRun or of all."""
        selector = "reflow.dev/op" + (f",reflow.dev/run={run}" if run else "")
        found: list[Json] = json.loads(self.kubectl("get", "pods", "-l", selector, "-o", "json"))["items"]
        return found

    def steps_with_pods(self, run: str) -> list[str]:
        return sorted(pod["metadata"]["labels"]["reflow.dev/step"] for pod in self.pods(run))

    def events(self, name: str) -> list[str]:
        """What the operator told of an object: `Reason: message`."""
        found = json.loads(
            self.kubectl("get", "events", "--field-selector", f"involvedObject.name={name}", "-o", "json")
        )["items"]
        return [f"{event['reason']}: {event['message']}" for event in found]

    def everything(self) -> str:
        """For a report on a failure: what the namespace looks like."""
        run = self.site.shell.run
        parts = ["kubectl", "-n", self.namespace]
        told = [
            run(*parts, "get", "flowruns,resumes,pods", "-o", "wide").stdout,
            run(*parts, "get", "events", "--sort-by=.lastTimestamp").stdout[-6000:],
        ]
        for pod in self.pods():
            name, phase = pod["metadata"]["name"], pod["status"].get("phase")
            if phase != "Succeeded":
                told.append(f"--- {name} {phase} {json.dumps(pod['status'].get('containerStatuses'))}")
                told.append(run(*parts, "logs", name, "--tail=50").stdout)
        return "\n".join(told)


def as_list(objects: Iterable[Json]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def condition(status: Json, kind: str) -> Json:
    """One condition, empty where there's none."""
    found: Json = next((one for one in status.get("conditions", ()) if one["type"] == kind), {})
    return found


def image_values(prefix: str, image: str) -> list[str]:
    repository, _, tag = image.rpartition(":")
    return ["--set", f"{prefix}repository={repository}", "--set-string", f"{prefix}tag={tag}"]


def images(shell: Shell) -> Mapping[str, str]:
    """The operator's and the runtime's image, built and on every node."""
    said = shell.must(sys.executable, "-m", "tests.cluster", "images", timeout=900)
    found: Mapping[str, str] = json.loads(said.strip().splitlines()[-1])
    return found


def install(shell: Shell, ours: str | None = None) -> Site:
    """Namespaces, the Secret with the keys, the release; ready. `ours`: what their names begin with, where it is
    one that was kept.
    """
    built = dict(images(shell))
    kept, ours = ours is not None, ours or f"e2e-{uuid.uuid4().hex[:5]}"
    names = {name: f"{ours}-{name}" for name in (*WITH_STORE, *WITHOUT)}
    site = Site(shell, f"{ours}-system", built, names)
    if kept:
        upgrade(site)
        return site
    for namespace in (site.system, *names.values()):
        shell.must("kubectl", "create", "namespace", namespace)
        shell.must("kubectl", "label", "namespace", namespace, RESTRICTED)
    key, secret = (shell.environment[f"REFLOW_TEST_S3_{name}"] for name in ("ACCESS_KEY", "SECRET_KEY"))
    keys = (f"--from-literal=accessKey={key}", f"--from-literal=secretKey={secret}")
    shell.must("kubectl", "-n", site.system, "create", "secret", "generic", "minio-keys", *keys)
    site.helm("install", str(REPO / "helm"), "--wait", "--timeout=120s", *_values(site))
    return site


def upgrade(site: Site) -> None:
    """With the images of the code as it is now."""
    site.images.update(images(site.shell))
    site.helm("upgrade", str(REPO / "helm"), "--wait", "--timeout=120s", *_values(site))


def _values(site: Site) -> list[str]:
    said, names = site.shell.environment, site.names
    crds = site.shell.run("kubectl", "get", "crd", "flowruns.reflow.dev").returncode != 0
    sets = {
        "defaultImage": said["REFLOW_TEST_PYTHON_IMAGE"],
        "watchNamespaces": f"{{{','.join(names.values())}}}",
        "store.namespaces": f"{{{','.join(names[name] for name in WITH_STORE)}}}",
        "s3.endpoint": said["REFLOW_TEST_S3_ENDPOINT_IN_CLUSTER"],
        "s3.bucket": said["REFLOW_TEST_S3_BUCKET"],
        "s3.prefix": site.system,
        "s3.existingSecret": "minio-keys",
        "crds.install": str(crds).lower(),
        "operator.imagePatienceSeconds": "20",
        "operator.graceSeconds": "10",
    }
    values = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
    runtime = image_values("runtime.image.", site.images["runtime"])
    return [*values, *image_values("image.", site.images["operator"]), *runtime]


def team(site: Site, name: str) -> Team:
    namespace = site.names[name]
    return Team(site, namespace, Bucket(site.shell.environment, site.system, namespace))


def remove(site: Site) -> None:
    """All of it, the objects in the bucket too."""
    for name in site.names:
        empty(team(site, name))
    site.shell.run("helm", "uninstall", "reflow", "-n", site.system, "--wait", "--timeout=60s")
    for namespace in (site.system, *site.names.values()):
        site.shell.run("kubectl", "delete", "namespace", namespace, "--wait=false")


def empty(team: Team) -> None:
    """No FlowRuns, Resumes and Pods, and nothing in the bucket."""
    team.tries("delete", "resumes,flowruns,pods", "--all", "--grace-period=1", "--wait=false")
    team.tries("wait", "--for=delete", "flowruns,pods", "--all", "--timeout=60s")
    team.tries("delete", "--raw", f"/api/v1/namespaces/{team.namespace}/events")
    objects = team.bucket.objects
    objects.delete([entry.key for entry in objects.list("")])
