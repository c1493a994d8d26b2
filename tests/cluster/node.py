"""One node: a first process in network, mount and process namespaces of its own; in them a containerd, a kubelet
and a kube-proxy. Killing the first process ends all the rest, Pods and mounts included, as pulling a plug does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import build, cgroups, network, pki, processes, settings
from tests.cluster.shell import Arg, ClusterError, run, wait_for

AGENTS = ("containerd", "kubelet", "kube-proxy")
_CAP_SYS_RESOURCE = 24


def _may_raise_limits() -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_SYS_RESOURCE & 1)
    return False


def _nodes_folder() -> Path:
    return settings.state() / "nodes"


def numbers() -> list[int]:
    """The nodes that were made, running or not."""
    return sorted(int(folder.name.rpartition("-")[2]) for folder in _nodes_folder().glob("reflow-*"))


@dataclass(frozen=True)
class Node:
    number: int

    @property
    def name(self) -> str:
        return settings.node_name(self.number)

    @property
    def folder(self) -> Path:
        return _nodes_folder() / self.name

    def _process(self, part: str) -> processes.Recorded | None:
        return processes.find(f"{self.name}.{part}")

    def first(self) -> processes.Recorded | None:
        return self._process("init")

    def running(self) -> bool:
        parts = [self._process(part) for part in ("init", *AGENTS)]
        return all(part is not None and part.alive() for part in parts)

    def inside(self, *args: Arg, everything: bool = False) -> list[Arg]:
        """The command that runs a program in the node: in its file system view, or in all its namespaces."""
        first = self.first()
        if first is None or not first.alive():
            raise ClusterError(f"{self.name} isn't running")
        spaces = ["--mount", "--net", "--pid"] if everything else ["--mount"]
        return ["nsenter", "--target", str(first.pid), *spaces, "--", *args]

    def ctr(self, *args: Arg, timeout: float = 120, stdin: Path | None = None) -> str:
        program = build.containerd().folder() / "ctr"
        words = self.inside(program, "--namespace", "k8s.io", *args)
        if stdin is None:
            return run(words, timeout=timeout)
        with stdin.open("rb") as source:
            return run(words, timeout=timeout, source=source)

    def load(self, archive: Path) -> None:
        """Take in the images of an archive. There is no registry: what isn't loaded can't be pulled."""
        self.ctr("images", "import", "--local", "-", stdin=archive, timeout=300)
        with (self.folder / "archives").open("a") as known:
            known.write(f"{archive}\n")

    def _lacks(self, archive: Path) -> bool:
        """Whether it wasn't loaded yet: a node that was down while others took it in lacks it."""
        known = self.folder / "archives"
        return not known.exists() or str(archive) not in known.read_text().splitlines()

    def _namespaces(self) -> None:
        pause = build.pause().folder() / "pause"
        spaces = [
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "--propagation",
            "private",
        ]
        holder = processes.start(f"{self.name}.holder", ["unshare", *spaces, pause])

        def inner() -> int:
            # Until it is the pause program, its mounts aren't made yet.
            return next((pid for pid in processes.children(holder.pid) if processes.runs(pid, pause)), 0)

        wait_for(f"{self.name}'s first process", lambda: inner() != 0, timeout=10, every=0.02)
        processes.record(f"{self.name}.init", inner())

    def _mounts(self) -> None:
        """Its own /run, /var/lib and /var/log; nobody to ask for names, so that a pull fails at once."""
        (self.folder / "resolv.conf").touch()
        for part in ("lib", "log"):
            (self.folder / part).mkdir(exist_ok=True)
        steps = [
            f"mount --bind {self.folder}/lib /var/lib",
            f"mount --bind {self.folder}/log /var/log",
            "mount -t tmpfs -o mode=0755 tmpfs /run",
            f"if [ -e /etc/resolv.conf ]; then mount --bind {self.folder}/resolv.conf /etc/resolv.conf; fi",
            "mount --make-rshared /",
        ]
        run(self.inside("sh", "-ec", "\n".join(steps)))

    def _configure(self) -> None:
        cni = self.folder / "cni"
        cni.mkdir(exist_ok=True)
        ipam = {
            "type": "host-local",
            "dataDir": "/run/cni-addresses",
            "ranges": [[{"subnet": settings.pod_net(self.number)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        plugins = [{"type": "ptp", "ipam": ipam}, {"type": "portmap", "capabilities": {"portMappings": True}}]
        (cni / "10-reflow.conflist").write_text(
            json.dumps({"cniVersion": "0.4.0", "name": "reflow", "plugins": plugins})
        )
        (self.folder / "containerd.toml").write_text(
            f"""version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{settings.PAUSE_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = {"false" if _may_raise_limits() else "true"}
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{cni}"
"""
        )
        identity = pki.identity(self.name)
        config = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki.ca().cert)},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": cgroups.path_of(self.name),
            "clusterDNS": [settings.DNS_SERVICE_IP],
            "clusterDomain": "cluster.local",
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
            },
            "failCgroupV1": False,
            "failSwapOn": False,
            # An image that was collected couldn't be pulled again.
            "imageGCHighThresholdPercent": 100,
            "kubeAPIBurst": 400,
            "kubeAPIQPS": 200,
            "maxPods": 250,
            "nodeLeaseDurationSeconds": 10,
            "nodeStatusUpdateFrequency": "4s",
            "resolvConf": str(self.folder / "resolv.conf"),
            "serializeImagePulls": False,
            "tlsCertFile": str(identity.cert),
            "tlsPrivateKeyFile": str(identity.key),
        }
        (self.folder / "kubelet.json").write_text(json.dumps(config, indent=2))

    def _agent(self, part: str, *args: Arg) -> None:
        processes.start(f"{self.name}.{part}", self.inside(*args, everything=True), env=self._environment())

    def _environment(self) -> dict[str, str]:
        shim = build.containerd().folder()
        return {
            "PATH": f"{shim}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
        }

    def start(self, archives: list[Path]) -> None:
        """Start it, for the first time (with these images) or after a kill. Returns before it is Ready."""
        if not self.running():
            self.prepare(archives)
            self.join()

    def prepare(self, archives: list[Path]) -> None:
        """All that needs no API server: the namespaces, and containerd with its images."""
        self.kill()
        fresh = not self.folder.exists()
        self.folder.mkdir(parents=True, exist_ok=True)
        if fresh:
            pki.make_node(self.name, settings.node_ip(self.number))
        cgroups.make(self.name)
        self._namespaces()
        self._mounts()
        first = self.first()
        assert first is not None
        network.plug(self.number, first.pid, numbers())
        self._configure()
        program = build.containerd().folder() / "containerd"
        self._agent("containerd", program, "--config", self.folder / "containerd.toml")
        self._wait_for_containerd()
        for archive in filter(self._lacks, archives):
            self.load(archive)

    def _wait_for_containerd(self) -> None:
        def answers() -> bool:
            process = self._process("containerd")
            if process is None or not process.alive():
                raise ClusterError(
                    f"{self.name}'s containerd ended:\n{processes.tail(f'{self.name}.containerd')}"
                )
            try:
                self.ctr("version", timeout=10)
            except ClusterError:
                return False
            return True

        wait_for(f"{self.name}'s containerd", answers, timeout=30)

    def join(self) -> None:
        programs = build.kubernetes().folder()
        self._agent(
            "kubelet",
            programs / "kubelet",
            f"--kubeconfig={pki.folder() / self.name}.kubeconfig",
            f"--config={self.folder / 'kubelet.json'}",
            f"--hostname-override={self.name}",
            f"--node-ip={settings.node_ip(self.number)}",
        )
        self._agent(
            "kube-proxy",
            programs / "kube-proxy",
            f"--kubeconfig={pki.folder() / 'proxy.kubeconfig'}",
            "--proxy-mode=iptables",
            f"--hostname-override={self.name}",
            f"--cluster-cidr={settings.POD_NET}",
            "--conntrack-max-per-core=0",
        )

    def kill(self) -> None:
        """kill -9 of everything on the node at once. Its disk stays, for a later start."""
        parts = processes.recorded(f"{self.name}.")
        processes.stop([part for part in parts if part.name.endswith(".init")])
        # Its holder ends when the kernel has ended all that was in the namespaces.
        holder = self._process("holder")
        if holder is not None and len(parts) > 1:
            wait_for(f"{self.name} to be gone", lambda: not holder.alive(), timeout=30, every=0.02)
        processes.stop(parts)
        network.unplug(self.number)
        if not cgroups.remove(self.name):
            raise ClusterError(f"{self.name}: a process is still in one of its cgroups")
