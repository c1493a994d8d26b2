"""The control plane: etcd, API server, controller manager and scheduler, on the bridge's address."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import pki, processes, settings
from tests.cluster.shell import ClusterError, run, wait_for

PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")

# A dead node is noticed in 16 s, and its Pods are given up 10 s later: a fault test has no six minutes.
NOT_READY_AFTER = "16s"
EVICTED_AFTER = "10"


def kubectl(*args: str | Path, stdin: str | None = None, timeout: float = 30, check: bool = True) -> str:
    program = settings.tools_bin() / "kubectl"
    words = [program, "--kubeconfig", settings.kubeconfig(), *args]
    return run(words, stdin=stdin, timeout=timeout, check=check)


def ready() -> bool:
    try:
        return kubectl("get", "--raw", "/readyz", timeout=10) == "ok"
    except ClusterError:
        return False


def _etcd(programs: Path) -> None:
    client, peer = f"http://{settings.ETCD_IP}:2379", f"http://{settings.ETCD_IP}:2380"
    processes.start(
        "etcd",
        [
            programs / "etcd",
            f"--data-dir={settings.state() / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
    )


def _apiserver(programs: Path) -> None:
    serving, admin, front = (pki.identity(name) for name in ("apiserver", "admin", "front-proxy"))
    signing, authority = pki.identity("service-accounts"), pki.ca().cert
    processes.start(
        "kube-apiserver",
        [
            programs / "kube-apiserver",
            f"--etcd-servers=http://{settings.ETCD_IP}:2379",
            f"--bind-address={settings.HOST_IP}",
            f"--advertise-address={settings.HOST_IP}",
            f"--secure-port={settings.API_PORT}",
            f"--tls-cert-file={serving.cert}",
            f"--tls-private-key-file={serving.key}",
            f"--client-ca-file={authority}",
            f"--service-account-key-file={signing.cert}",
            f"--service-account-signing-key-file={signing.key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-cluster-ip-range={settings.SERVICE_NET}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-client-certificate={admin.cert}",
            f"--kubelet-client-key={admin.key}",
            f"--kubelet-certificate-authority={authority}",
            f"--requestheader-client-ca-file={authority}",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={front.cert}",
            f"--proxy-client-key-file={front.key}",
            f"--default-not-ready-toleration-seconds={EVICTED_AFTER}",
            f"--default-unreachable-toleration-seconds={EVICTED_AFTER}",
        ],
    )


def _controllers(programs: Path) -> None:
    for name in ("controller-manager", "scheduler"):
        config = pki.folder() / f"{name}.kubeconfig"
        args: list[str | Path] = [
            programs / f"kube-{name}",
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            f"--bind-address={settings.HOST_IP}",
            "--leader-elect=false",
        ]
        if name == "controller-manager":
            args += [
                f"--service-account-private-key-file={pki.identity('service-accounts').key}",
                f"--root-ca-file={pki.ca().cert}",
                "--use-service-account-credentials",
                f"--node-monitor-grace-period={NOT_READY_AFTER}",
                "--node-monitor-period=2s",
                "--kube-api-qps=200",
                "--kube-api-burst=400",
            ]
        else:
            args += ["--kube-api-qps=200", "--kube-api-burst=400"]
        processes.start(f"kube-{name}", args)


def up(programs: Path) -> None:
    _etcd(programs)
    _apiserver(programs)

    def serving() -> bool:
        for name in PARTS[:2]:
            process = processes.find(name)
            if process is None or not process.alive():
                raise ClusterError(f"{name} ended:\n{processes.tail(name)}")
        return ready()

    wait_for("the API server", serving, timeout=60)
    # Only now: they read what the API server sets up at its start.
    _controllers(programs)
