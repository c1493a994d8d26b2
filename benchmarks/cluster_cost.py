"""What a task costs the store, the API server and the operator: requests and memory, by the width of a foreach."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import scripts
from benchmarks.commands import Broken
from benchmarks.containers import first_process
from benchmarks.counting_proxy import CountingProxy
from benchmarks.figures import Report, Row
from benchmarks.installed import Installation, installed
from benchmarks.kube import PodWatch
from benchmarks.load import LoadMeter
from tests.cluster import settings
from tests.cluster.cluster import environment

FLOW = "FanFlow"
PROBE_PORT = 8080
_REQUESTS = re.compile(
    r'^reflow_api_requests_total\{.*?resource="(?P<resource>[^"]*)".*?verb="(?P<verb>[^"]*)"\} (?P<count>\S+)$',
    re.M,
)


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests to the store by verb, to the API server by verb and resource; the operator's memory in MB, at its
    most and afterwards."""

    store: Mapping[str, float]
    api: Mapping[str, float]
    most: float
    after: float


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator's Pod, asked from outside."""

    address: str
    process: int

    def requests(self) -> Counter[str]:
        """To the API server so far, by verb and resource."""
        with urllib.request.urlopen(f"http://{self.address}:{PROBE_PORT}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found: Counter[str] = Counter()
        for each in _REQUESTS.finditer(text):
            found[f"{each['verb']} {each['resource']}"] += int(float(each["count"]))
        return found

    def memory(self, what: str) -> float:
        """`VmRSS` or `VmHWM`, in MB."""
        for line in Path(f"/proc/{self.process}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / 1024
        raise Broken("the operator's process has gone")


def measure(widths: tuple[int, ...]) -> Report:
    """A FlowRun of each width, the store behind a proxy that counts."""
    store = environment()["REFLOW_TEST_S3_ENDPOINT"]
    found: dict[int, Spent] = {}
    with (
        CountingProxy(store, settings.HOST_IP) as proxy,
        installed(proxy.endpoint) as there,
        PodWatch(there.api, there.namespace) as watch,
    ):
        operator = _operator(there)
        _fan(there, watch, 2, "warm-up")
        meter = LoadMeter()
        for width in widths:
            before = operator.requests()
            proxy.take()
            _fan(there, watch, width, f"fan-{width}")
            api = operator.requests() - before
            found[width] = Spent(proxy.take(), api, operator.memory("VmHWM"), operator.memory("VmRSS"))
            print(f"  {width} tasks", file=sys.stderr, flush=True)
    return _report(found, meter)


def _fan(there: Installation, watch: PodWatch, width: int, name: str) -> None:
    there.create_flowrun(name, FLOW, scripts.fan("reflow", width), maxWorkers=50)
    there.wait_complete(name, 60 + 5 * width)
    there.delete("flowruns", name)
    watch.clear()


def _operator(there: Installation) -> Operator:
    selector = "app.kubernetes.io/name=reflow"
    listed = json.loads(
        there.command("kubectl", "-n", there.system, "get", "pods", "-l", selector, "-o", "json")
    )
    (pod,) = listed["items"]
    container = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
    return Operator(pod["status"]["podIP"], first_process(container))


def _report(found: dict[int, Spent], meter: LoadMeter) -> Report:
    rows = []
    for width, spent in found.items():
        rows += [
            Row(f"{width} tasks: requests to the store", [sum(spent.store.values())], "", _told(spent.store)),
            Row(
                f"{width} tasks: the operator's API requests", [sum(spent.api.values())], "", _told(spent.api)
            ),
            Row(
                f"{width} tasks: the operator's memory",
                [spent.most],
                "MB",
                f"afterwards {spent.after:.0f} MB",
            ),
        ]
    if len(found) > 1:
        small, large = min(found), max(found)
        for what, part in (("requests to the store", "store"), ("API requests of the operator", "api")):
            each = _slope(getattr(found[small], part), getattr(found[large], part), large - small)
            rows.append(Row(f"one more task: {what}", [sum(each.values())], "", _told(each)))
    how = (
        "A foreach of N trivial tasks in the cluster. The store's requests, of operator and Pods together, as a proxy "
        "before MinIO counts them; the API server's as the operator's own metrics count them, with the deletion of "
        "the FlowRun afterwards; memory as the kernel tells it."
    )
    return Report("Cluster: what a task costs", how, rows, str(meter))


def _slope(small: Mapping[str, float], large: Mapping[str, float], more: int) -> dict[str, float]:
    names = sorted(set(small) | set(large))
    each = {name: (large.get(name, 0) - small.get(name, 0)) / more for name in names}
    return {name: count for name, count in each.items() if abs(count) >= 0.005}


def _told(counts: Mapping[str, float]) -> str:
    return ", ".join(
        f"{name} {count:,.2f}".removesuffix(".00") for name, count in sorted(counts.items()) if count
    )
