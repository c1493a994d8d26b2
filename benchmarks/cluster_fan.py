"""A wide foreach in the cluster, beside as many bare Pods at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import bare_pods, scripts
from benchmarks.cluster_start import a_tasks
from benchmarks.commands import Broken
from benchmarks.containers import ContainerEvents
from benchmarks.figures import Goal, Report, Row, ratios
from benchmarks.installed import Installation, installed
from benchmarks.kube import PodTimes, PodWatch
from benchmarks.load import LoadMeter
from benchmarks.options import Options
from reflow_operator.constants import LABEL_STEP

AT_MOST = 1.25  # times the bare Pods' time
FLOW = "FanFlow"


@dataclass(frozen=True, slots=True)
class Fan:
    """From the first creation seen: until the last was created, until the last has ended. `lives`: the containers'
    own times."""

    created: float
    ended: float
    lives: Sequence[float]


def measure(width: int, options: Options) -> Report:
    """In turns: bare Pods, bare Pods with a task's volumes, a foreach, and again."""
    bare, laden, ours = [], [], []
    with installed() as there, PodWatch(there.api, there.namespace) as watch, ContainerEvents() as events:
        _foreach(there, watch, events, 2, "warm-up")
        meter = LoadMeter(options.patience)
        for number in range(options.rounds):
            meter.glance()
            bare.append(_fan(bare_pods.at_once(there, watch, width, f"bare-{number}"), events))
            pods = bare_pods.at_once(there, watch, width, f"laden-{number}", a_tasks(there.runtime_image))
            laden.append(_fan(pods, events))
            ours.append(_foreach(there, watch, events, width, f"fan-{number}"))
            print(
                f"  {width}: bare {bare[-1].ended:.2f} s, with volumes {laden[-1].ended:.2f} s, "
                f"foreach {ours[-1].ended:.2f} s",
                file=sys.stderr,
                flush=True,
            )
    return _report(width, bare, laden, ours, meter)


def _foreach(there: Installation, watch: PodWatch, events: ContainerEvents, width: int, name: str) -> Fan:
    there.create_flowrun(name, FLOW, scripts.fan("reflow", width), maxWorkers=width)
    watch.wait(lambda pods: len(_workers(pods, ended=True)) >= width, f"the end of {width} tasks", 300)
    there.wait_complete(name, 90)
    found = _fan(_workers(list(watch.pods.values()), ended=True), events)
    there.delete("flowruns", name)
    watch.clear()
    return found


def _workers(pods: Sequence[PodTimes], *, ended: bool) -> list[PodTimes]:
    return [pod for pod in pods if pod.labels.get(LABEL_STEP) == "work" and (pod.ended or not ended)]


def _fan(pods: Sequence[PodTimes], events: ContainerEvents) -> Fan:
    wrong = [pod.name for pod in pods if pod.phase != "Succeeded"]
    if wrong:
        raise Broken(f"{len(wrong)} Pods did not succeed, such as {wrong[0]}")
    first = min(pod.created for pod in pods)
    lives = [events.life(pod.container).seconds or 0.0 for pod in pods]
    return Fan(max(pod.created for pod in pods) - first, max(pod.ended or 0.0 for pod in pods) - first, lives)


def _report(width: int, bare: list[Fan], laden: list[Fan], ours: list[Fan], meter: LoadMeter) -> Report:
    pairs = ratios([fan.ended for fan in ours], [fan.ended for fan in bare])
    rows = [
        Row(f"{width} bare `python3 -c pass` at once", [fan.ended for fan in bare], "s", _note(bare)),
        Row(f"{width} of them with a task's volumes", [fan.ended for fan in laden], "s", _note(laden)),
        Row(f"a foreach of {width}", [fan.ended for fan in ours], "s", _note(ours)),
        Row("foreach / bare", pairs, "×", "pair by pair"),
        Row("bare: first create → last create", [fan.created for fan in bare]),
        Row("foreach: first create → last create", [fan.created for fan in ours]),
        Row("bare: a container's own time", [life for fan in bare for life in fan.lives]),
        Row("with volumes: a container's own time", [life for fan in laden for life in fan.lives]),
        Row("foreach: a container's own time", [life for fan in ours for life in fan.lives]),
    ]
    how = (
        f"A foreach of {width} trivial tasks beside {width} bare Pods of the same image, created at once over "
        f"{bare_pods.CREATORS} connections. From the first creation to the last end, both as a watch hears of them. "
        "Pair by pair; no resource requests on either side; each pair's Pods are gone before the next."
    )
    goal = Goal(f"a foreach of {width} over {width} bare Pods", median(pairs), AT_MOST, " times")
    return Report(f"Cluster: a foreach of {width}", how, rows, str(meter), (goal,))


def _note(fans: Sequence[Fan]) -> str:
    return f"{1000 * median(fan.ended / len(fan.lives) for fan in fans):.0f} ms a Pod"
