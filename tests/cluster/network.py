"""The machine's side of the cluster's network: a bridge with the nodes' cables in it, and routes over it.

Nothing else of the machine's network is touched: no iptables rule, no forwarding, no name server.
So Pods reach each other, the API server and this machine, but nothing beyond it.
"""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

from tests.cluster import settings
from tests.cluster.shell import ClusterError, run

# The kubelet sets these for the whole machine; they are put back at the end.
_KUBELET_SETS = (
    "vm.overcommit_memory",
    "vm.panic_on_oom",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.keys.root_maxkeys",
    "kernel.keys.root_maxbytes",
)


def _sysctl(name: str) -> Path:
    return Path("/proc/sys") / name.replace(".", "/")


def remember_sysctls(file: Path) -> None:
    file.write_text(json.dumps({name: _sysctl(name).read_text().strip() for name in _KUBELET_SETS}))


def restore_sysctls(file: Path) -> None:
    if file.exists():
        for name, value in json.loads(file.read_text()).items():
            if name in _KUBELET_SETS and _sysctl(name).read_text().strip() != value:
                _sysctl(name).write_text(f"{value}\n")


def _exists(link: str) -> bool:
    return Path("/sys/class/net", link).exists()


def check_free() -> None:
    """Refuse where the machine already uses our addresses."""
    ours = [ipaddress.ip_network(net) for net in (settings.NODE_NET, settings.POD_NET, settings.SERVICE_NET)]
    for route in json.loads(run(["ip", "-j", "route", "show", "table", "main"])):
        if route.get("dst") == "default" or route.get("dev") == settings.BRIDGE:
            continue
        taken = ipaddress.ip_network(route["dst"], strict=False)
        for net in ours:
            if taken.version == net.version and taken.overlaps(net):
                raise ClusterError(
                    f"this machine routes {taken} to {route.get('dev')}, and the test cluster needs {net}"
                )


def up() -> None:
    bridge = settings.BRIDGE
    length = settings.NODE_NET.partition("/")[2]
    if not _exists(bridge):
        run(["ip", "link", "add", bridge, "type", "bridge"])
        run(["ip", "addr", "add", f"{settings.HOST_IP}/{length}", "dev", bridge])
    run(["ip", "link", "set", bridge, "up"])
    # Services are reached from here through the first node, whose kube-proxy hands them on.
    run(["ip", "route", "replace", settings.SERVICE_NET, "via", settings.node_ip(1), "dev", bridge])


def down() -> None:
    """The routes go with the bridge, and a node's cable with the node."""
    if _exists(settings.BRIDGE):
        run(["ip", "link", "del", settings.BRIDGE])


def _cable(number: int) -> str:
    return f"{settings.BRIDGE}n{number}"


def unplug(number: int) -> None:
    """The kernel does it too, some time after the namespace's last process is gone."""
    if _exists(_cable(number)):
        run(["ip", "link", "del", _cable(number)], check=False)


def plug(number: int, pid: int, numbers: list[int]) -> None:
    """A cable from the bridge into the network namespace of a node's first process, and its addresses."""
    unplug(number)
    outside = _cable(number)
    peer = ["peer", "name", "eth0", "netns", str(pid)]
    run(["ip", "link", "add", outside, "type", "veth", *peer])
    run(["ip", "link", "set", outside, "master", settings.BRIDGE, "up"])
    run(
        [
            "ip",
            "route",
            "replace",
            settings.pod_net(number),
            "via",
            settings.node_ip(number),
            "dev",
            settings.BRIDGE,
        ]
    )
    inside = ["nsenter", "--target", str(pid), "--net", "--mount", "--"]
    length = settings.NODE_NET.partition("/")[2]
    batch = [
        "link set lo up",
        f"addr add {settings.node_ip(number)}/{length} dev eth0",
        "link set eth0 up",
        # kube-proxy replaces or refuses these addresses on the way, but only where there is a way.
        f"route replace {settings.SERVICE_NET} dev eth0",
    ]
    batch += [
        f"route replace {settings.pod_net(n)} via {settings.node_ip(n)}" for n in numbers if n != number
    ]
    run([*inside, "ip", "-batch", "-"], stdin="\n".join(batch) + "\n")
    run([*inside, "sysctl", "-qw", "net.ipv4.ip_forward=1"])


def route_on(pid: int, others: list[int]) -> None:
    """Tell a running node the way to Pods of nodes that came later."""
    batch = [f"route replace {settings.pod_net(n)} via {settings.node_ip(n)}" for n in others]
    if batch:
        inside = ["nsenter", "--target", str(pid), "--net", "--"]
        run([*inside, "ip", "-batch", "-"], stdin="\n".join(batch) + "\n")
