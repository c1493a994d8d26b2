"""The cluster as a whole: up, down, what it is like, and nodes that are killed and started."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cluster import (
    build,
    cgroups,
    control,
    debian,
    images,
    minio,
    network,
    node,
    pki,
    processes,
    settings,
)
from tests.cluster.shell import ClusterError, lock, say, wait_for


@contextlib.contextmanager
def exclusively() -> Iterator[None]:
    if os.geteuid():
        raise ClusterError(
            "the cluster is started and stopped as root: it makes network namespaces and mounts"
        )
    with lock(settings.cache() / "cluster.lock", timeout=1800, what="cluster"):
        yield


def _owner_file() -> Path:
    return settings.state() / "owner.json"


def owner() -> str | None:
    """The checkout whose cluster is up, or was and left something."""
    if not _owner_file().exists():
        return None
    return str(json.loads(_owner_file().read_text())["checkout"])


def alive() -> bool:
    """Everything that was started still runs, and the API server says it is ready."""
    parts = [processes.find(name) for name in control.PARTS]
    first = node.Node(1)
    return all(part is not None and part.alive() for part in parts) and first.running() and control.ready()


def check_owner() -> None:
    """Refuse to touch another checkout's cluster while that is up."""
    other = owner()
    if other and other != str(settings.REPO) and any(one.alive() for one in processes.recorded()):
        raise ClusterError(
            f"a cluster of {other} is up on this machine, and there can be one: "
            f"run `make cluster-down` there, or `python3 -m tests.cluster down --force` here"
        )


def _fresh() -> None:
    state = settings.state()
    state.mkdir(mode=0o755, parents=True)
    (state / "run").mkdir()
    _owner_file().write_text(json.dumps({"checkout": str(settings.REPO)}))
    network.check_free()
    network.remember_sysctls(state / "sysctls.json")
    network.up()
    settings.tools_bin().mkdir()
    (settings.tools_bin() / "kubectl").symlink_to(build.kubernetes().folder() / "kubectl")


def _add_nodes(numbers: list[int]) -> None:
    archives = images.for_new_node()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: node.Node(number).start(archives), numbers))
    _all_routes()


def _all_routes() -> None:
    """Every running node knows the way to every other's Pods, whichever came first."""
    known = node.numbers()
    for number in known:
        first = node.Node(number).first()
        if first is not None and first.alive():
            network.route_on(first.pid, [other for other in known if other != number])


def ready_nodes() -> set[str]:
    template = '{range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}'
    lines = control.kubectl("get", "nodes", "-o", f"jsonpath={template}").splitlines()
    return {line.split()[0] for line in lines if line.endswith(" True")}


def _wait_for_nodes(numbers: list[int]) -> None:
    wanted = {settings.node_name(number) for number in numbers}

    def ready() -> bool:
        for number in numbers:
            if not node.Node(number).running():
                name = settings.node_name(number)
                said = "\n".join(processes.tail(f"{name}.{part}", 5) for part in node.AGENTS)
                raise ClusterError(f"{name} ended:\n{said}")
        return wanted <= ready_nodes()

    wait_for(f"{', '.join(sorted(wanted))} to be Ready", ready, timeout=90, every=0.2)


def _settle() -> None:
    """Wait for what Kubernetes makes by itself and every Pod needs; have names refused at once."""

    def default_account() -> bool:
        try:
            return bool(control.kubectl("get", "serviceaccount", "default", "-o", "name"))
        except ClusterError:
            return False

    wait_for("the default ServiceAccount", default_account, timeout=60)
    dns = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {
            "clusterIP": settings.DNS_SERVICE_IP,
            "ports": [{"name": name, "port": 53, "protocol": name.upper()} for name in ("udp", "tcp")],
        },
    }
    control.kubectl("apply", "-f", "-", stdin=json.dumps(dns))


def up(nodes: int) -> None:
    """Everything, from whatever is there. A cluster that is up is only given the nodes it lacks."""
    if not 1 <= nodes <= settings.MAX_NODES:
        raise ClusterError(f"--nodes takes 1 to {settings.MAX_NODES}")
    check_owner()
    debian.install(settings.DEBIAN_PACKAGES)
    for piece in (build.pause(), build.kubernetes(), build.containerd(), build.base(), build.minio()):
        build.get(piece)
    if owner() != str(settings.REPO) or not alive():
        if settings.state().exists():
            say("cluster: clearing what an earlier one left")
            down()
        try:
            _start(nodes)
        except BaseException:
            logs = processes.log("any").parent
            say(f"cluster: it did not come up; its logs are in {logs} until the next up or down")
            raise
    wanted = list(range(1, nodes + 1))
    lacking = [number for number in wanted if not node.Node(number).running()]
    if lacking:
        _add_nodes(lacking)
    _wait_for_nodes(wanted)
    link = settings.tools_bin() / "helm"
    if not link.exists():
        link.symlink_to(build.get(build.helm()) / "helm")


def _start(nodes: int) -> None:
    _fresh()
    pki.make()
    first = node.Node(1)
    with ThreadPoolExecutor(1) as pool:
        prepared = pool.submit(first.prepare, images.for_new_node())
        control.up(build.kubernetes().folder())
        prepared.result()
    first.join()
    _settle()
    _wait_for_nodes([1])
    control.kubectl("label", "node", settings.node_name(1), "reflow.dev/test-storage=true", "--overwrite")
    key, secret = minio.deploy()
    if nodes > 1:
        _add_nodes(list(range(2, nodes + 1)))
    minio.finish(key, secret)


def down(force: bool = False) -> None:
    """Stop it without a trace. Safe to call at any time, on whatever is left of a cluster."""
    if not force:
        check_owner()
    for number in node.numbers():
        node.Node(number).kill()
    everything = processes.recorded()
    # The API server before etcd, so that neither writes of the other's end.
    processes.stop([one for one in everything if one.name != "etcd"])
    processes.stop([one for one in everything if one.name == "etcd"])
    network.down()
    if not cgroups.remove():
        raise ClusterError(f"a process is still in a cgroup below {settings.CGROUP}")
    network.restore_sysctls(settings.state() / "sysctls.json")
    shutil.rmtree(settings.state(), ignore_errors=True)


def _number(number: int) -> node.Node:
    if number not in node.numbers():
        raise ClusterError(f"there is no node {number}; there are {node.numbers()}")
    return node.Node(number)


def node_kill(number: int) -> None:
    _number(number).kill()


def node_start(number: int) -> None:
    _number(number).start([])
    _all_routes()
    _wait_for_nodes([number])


def status() -> dict[str, object]:
    if owner() is None:
        return {"up": False}
    running = {one.name: one.alive() for one in processes.recorded()}
    nodes = {settings.node_name(n): node.Node(n).running() for n in node.numbers()}
    return {
        "up": alive(),
        "checkout": owner(),
        "processes": running,
        "nodes": nodes,
        "ready": sorted(ready_nodes()) if alive() else [],
        "state": str(settings.state()),
        "cache": str(settings.cache()),
    }


def environment() -> dict[str, str]:
    """What a test or a person needs to know of a cluster that is up."""
    access = minio.access()
    if owner() is None or access is None:
        raise ClusterError("no cluster is up: `make cluster`")
    return describe(access)


def describe(access: minio.Access) -> dict[str, str]:
    return {
        "KUBECONFIG": str(settings.kubeconfig()),
        "PATH": f"{settings.tools_bin()}:{os.environ.get('PATH', '')}",
        "REFLOW_TEST_S3_ENDPOINT": access.here,
        "REFLOW_TEST_S3_ENDPOINT_IN_CLUSTER": access.pods,
        "REFLOW_TEST_S3_BUCKET": access.bucket,
        "REFLOW_TEST_S3_ACCESS_KEY": access.key,
        "REFLOW_TEST_S3_SECRET_KEY": access.secret,
        "REFLOW_TEST_PYTHON_IMAGE": settings.BASE_IMAGE,
    }
