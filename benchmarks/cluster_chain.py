"""Trivial steps one after another in the cluster, beside bare Pods one after another."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean, median

from benchmarks import bare_pods, scripts
from benchmarks.commands import Broken
from benchmarks.containers import ContainerEvents
from benchmarks.figures import Goal, Report, Row
from benchmarks.installed import Installation, installed
from benchmarks.kube import PodTimes, PodWatch
from benchmarks.load import LoadMeter
from benchmarks.options import Options
from reflow.values.key import TaskKey
from reflow_operator.constants import LABEL_STEP

AT_MOST = 0.5  # seconds more a step, on the mean, than a bare Pod
FLOW = "ChainFlow"


@dataclass(frozen=True, slots=True)
class Hop:
    """One Pod of a chain; seconds since the epoch, all by this machine's clock. `user`: the user code's first line."""

    created: float
    started: float
    user: float | None
    exited: float
    ended: float

    @property
    def life(self) -> float:
        """The container's own time."""
        return self.exited - self.started


@dataclass
class Chain:
    """Hops in their order, of one kind of Pod; one list for each time that the chain was played."""

    plays: list[list[Hop]] = field(default_factory=list)

    def steps(self) -> list[float]:
        """Seconds a step: from a Pod's creation to the next one's, for the last to its end."""
        found = []
        for hops in self.plays:
            marks = [*(hop.created for hop in hops), hops[-1].ended]
            found += [after - before for before, after in itertools.pairwise(marks)]
        return found

    def between(self) -> list[float]:
        """From the end seen to the next Pod's creation seen."""
        return [b.created - a.ended for hops in self.plays for a, b in itertools.pairwise(hops)]

    def hops(self) -> list[Hop]:
        return [hop for hops in self.plays for hop in hops]


def measure(steps: int, options: Options) -> Report:
    """Round by round: half of the bare Pods, our chain, Pods that sleep as long as our containers took, the rest."""
    ours, bare, asleep = Chain(), Chain(), Chain()
    half = [bare_pods.PASS] * (steps // 2)
    with installed() as there, PodWatch(there.api, there.namespace) as watch, ContainerEvents() as events:
        _warm_up(there, watch)
        meter = LoadMeter(options.patience)
        for number in range(options.cluster_rounds):
            meter.glance()
            pods = bare_pods.one_after_another(there, watch, half, f"pass-{number}a")
            bare.plays.append([_hop(pod, events) for pod in pods])
            ours.plays.append(_play(there, watch, events, steps, f"chain-{number}"))
            naps = [("sleep", f"{hop.life:.3f}") for hop in ours.plays[-1]]
            pods = bare_pods.one_after_another(there, watch, naps, f"nap-{number}")
            asleep.plays.append([_hop(pod, events) for pod in pods])
            pods = bare_pods.one_after_another(there, watch, half, f"pass-{number}b")
            bare.plays.append([_hop(pod, events) for pod in pods])
            print(
                f"  round {number}: a step {mean(ours.steps()):.2f} s, bare {mean(bare.steps()):.2f} s, "
                f"asleep {mean(asleep.steps()):.2f} s",
                file=sys.stderr,
                flush=True,
            )
    return _report(steps, ours, bare, asleep, meter)


def _warm_up(there: Installation, watch: PodWatch) -> None:
    """Images and runtime are on the node, and the operator has done everything once."""
    _run(there, watch, 2, "warm-up")


def _run(there: Installation, watch: PodWatch, steps: int, name: str) -> dict[str, PodTimes]:
    """Play the chain to its end; its Pods by their names."""
    there.create_flowrun(name, FLOW, scripts.chain("reflow", steps, body="self.at = time.time()"))
    watch.wait(
        lambda pods: sum(1 for pod in pods if pod.ended) >= steps,
        f"the end of {steps} tasks",
        20 + 10 * steps,
    )
    there.wait_complete(name, 60)
    return dict(watch.pods)


def _play(there: Installation, watch: PodWatch, events: ContainerEvents, steps: int, name: str) -> list[Hop]:
    by_step = {pod.labels.get(LABEL_STEP, ""): pod for pod in _run(there, watch, steps, name).values()}
    if len(by_step) != steps:
        raise Broken(f"{steps} steps had Pods of {len(by_step)} steps")
    hops = []
    for step, pod in sorted(by_step.items(), key=lambda item: item[1].created):
        hops.append(_hop(pod, events, _user_code(there, f"k8s-{name}", step)))
    there.delete("flowruns", name)
    watch.clear()
    return hops


def _user_code(there: Installation, run: str, step: str) -> float:
    """When the step's first line ran, as it wrote down itself."""
    store = there.store(FLOW)
    record = store.result(run, TaskKey(step))
    if record is None:
        raise Broken(f"{run}/{step} has no record")
    return float(store.load(record.artifacts["at"], name="at"))


def _hop(pod: PodTimes, events: ContainerEvents, user: float | None = None) -> Hop:
    life = events.life(pod.container)
    if pod.phase != "Succeeded" or pod.ended is None or life.started is None or life.exited is None:
        raise Broken(f"Pod {pod.name} ended as {pod.phase}")
    return Hop(pod.created, life.started, user, life.exited, pod.ended)


def _report(steps: int, ours: Chain, bare: Chain, asleep: Chain, meter: LoadMeter) -> Report:
    over_bare = mean(ours.steps()) - mean(bare.steps())
    over_asleep = mean(ours.steps()) - mean(asleep.steps())
    rows = [
        Row("a step of Reflow", ours.steps(), "s", "from a Pod's creation to the next one's"),
        Row("a bare `python3 -c pass`", bare.steps(), "s", "the same, half before and half after"),
        Row("a bare `sleep` as long as our container", asleep.steps(), "s", "step by step the same lengths"),
        *_parts("Reflow", ours),
        *_parts("bare pass", bare),
        *_parts("bare sleep", asleep),
    ]
    how = (
        f"A chain of {steps} trivial steps beside bare Pods of the same image, each created when a watch tells of the "
        "end of the one before. Creation and end as this watch hears of them; container start and exit from "
        "containerd's events; user code by the container's own clock: all on one machine. No resource requests on "
        "either side. The kubelet looks for ended containers once a second, so single hops are luck: the mean counts."
    )
    goals = [
        Goal("seconds a step over bare `python3 -c pass`, on the mean", over_bare, AT_MOST, " s"),
        Goal("seconds a step over a bare `sleep` of our containers' length", over_asleep, AT_MOST, " s"),
    ]
    return Report(f"Cluster: {steps} trivial steps one after another", how, rows, str(meter), goals)


def _parts(whose: str, chain: Chain) -> list[Row]:
    """Where the time of a step goes."""
    hops = chain.hops()
    rows = [
        Row(f"{whose}: end seen → next create", chain.between()),
        Row(f"{whose}: create → container start", [hop.started - hop.created for hop in hops]),
    ]
    users = [(hop, hop.user) for hop in hops if hop.user is not None]
    if users:
        rows += [
            Row(f"{whose}: container start → user code", [user - hop.started for hop, user in users]),
            Row(f"{whose}: user code → container exit", [hop.exited - user for hop, user in users]),
        ]
    else:
        rows.append(Row(f"{whose}: container start → exit", [hop.life for hop in hops]))
    rows.append(Row(f"{whose}: container exit → end seen", [hop.ended - hop.exited for hop in hops]))
    return [Row(row.what, row.samples, "s", _share(row.samples, chain.steps())) for row in rows]


def _share(part: Sequence[float], whole: Sequence[float]) -> str:
    return f"{sum(part) / sum(whole):.0%} of the time; median {median(part) * 1000:.0f} ms"
