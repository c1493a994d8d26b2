"""What each of a task's volumes adds to the time until a bare Pod's container starts."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks import bare_pods
from benchmarks.containers import ContainerEvents
from benchmarks.figures import Report, Row
from benchmarks.installed import Installation, installed
from benchmarks.kube import Json, PodWatch
from benchmarks.load import LoadMeter
from benchmarks.options import Options
from reflow_operator.constants import SECRET_NAME

PODS_A_ROUND = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """A bare Pod with some volumes."""

    what: str
    volumes: tuple[Json, ...]


def kinds(runtime_image: str) -> tuple[Kind, ...]:
    """From nothing to all that a task's Pod has."""
    folders: tuple[Json, ...] = ({"name": "work", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}})
    secret: Json = {"name": "secret", "secret": {"secretName": SECRET_NAME}}
    runtime: Json = {"name": "runtime", "image": {"reference": runtime_image, "pullPolicy": "IfNotPresent"}}
    return (
        Kind("no volumes", ()),
        Kind("two empty folders", folders),
        Kind("the store's Secret", (secret,)),
        Kind("the runtime's image", (runtime,)),
        Kind("all of these", (*folders, secret, runtime)),
    )


def a_tasks(runtime_image: str) -> tuple[Json, ...]:
    """The volumes that a task's Pod has."""
    return kinds(runtime_image)[-1].volumes


def measure(options: Options) -> Report:
    """In turns: some Pods of each kind, one after another, and again."""
    found: dict[str, list[float]] = {}
    with installed() as there, PodWatch(there.api, there.namespace) as watch, ContainerEvents() as events:
        meter = LoadMeter(options.patience)
        for number in range(options.rounds):
            meter.glance()
            for place, kind in enumerate(kinds(there.runtime_image)):
                times = _starts(there, watch, events, kind, f"start-{number}-{place}")
                found.setdefault(kind.what, []).extend(times)
            print(f"  round {number}", file=sys.stderr, flush=True)
    how = (
        "Bare Pods of `python3 -c pass`, one after another, that differ in their volumes: from a Pod's creation, as a "
        "watch hears of it, to its container's start, as containerd tells it."
    )
    rows = [Row(what, times) for what, times in found.items()]
    return Report("Cluster: what a task's volumes add to a Pod's start", how, rows, str(meter))


def _starts(
    there: Installation, watch: PodWatch, events: ContainerEvents, kind: Kind, prefix: str
) -> list[float]:
    commands = [bare_pods.PASS] * PODS_A_ROUND
    found = []
    for pod in bare_pods.one_after_another(there, watch, commands, prefix, kind.volumes):
        found.append((events.life(pod.container).started or 0.0) - pod.created)
    return found
