"""From a Resume's creation to its first Pod, where many tasks have finished already."""

from __future__ import annotations

import sys
import time
from statistics import median

from benchmarks import bare_pods, laptop_resume, scripts
from benchmarks.contenders import scratch
from benchmarks.figures import Goal, Report, Row
from benchmarks.installed import Installation, installed
from benchmarks.kube import PodWatch
from benchmarks.load import LoadMeter
from benchmarks.options import Options

AT_MOST = 2.0  # seconds
FLOW = "ResumedFlow"


def measure(width: int, options: Options) -> Report:
    """In turns: a bare Pod, a fresh FlowRun, a Resume of many finished tasks."""
    bare, fresh, resumed = [], [], []
    with scratch() as folder, installed() as there, PodWatch(there.api, there.namespace) as watch:
        print(f"  making a run of {width} tasks on the laptop, in the cluster's store …", file=sys.stderr)
        made = laptop_resume.fail(folder, width, there.store_environment)
        run = (folder / "run-id").read_text().strip()
        _fresh(there, watch, "warm-up")
        meter = LoadMeter(options.patience)
        for number in range(options.rounds):
            meter.glance()
            bare.append(bare_pods.seconds_to_create(there, watch, f"bare-{number}"))
            fresh.append(_fresh(there, watch, f"fresh-{number}"))
            resumed.append(_resume(there, watch, f"resumed-{number}", width, run))
            print(f"  {width} tasks: {resumed[-1]:.3f} s", file=sys.stderr, flush=True)
    rows = (
        Row("a bare Pod", bare, "s", "from the request to its creation seen"),
        Row("a fresh FlowRun", fresh, "s", "checked, claimed, its first Pod created"),
        Row(f"a Resume of {width:,} tasks", resumed, "s", "the plan made, the FlowRun made, then as above"),
        Row(f"the origin's {width:,} tasks, made on the laptop in MinIO", [made.ran.seconds], "s",
            f"{1000 * made.ran.seconds / width:.1f} ms a task; CPU {made.ran.cpu:.1f} s"),
    )  # fmt: skip
    how = (
        f"From the request that creates a Resume until a watch tells of its run's first Pod. The origin: a foreach of "
        f"{width:,} whose join failed, run on the laptop in the cluster's store. In turns with a bare Pod and with a "
        "FlowRun that starts anew."
    )
    goals = (
        [Goal(f"a Resume of {width:,} finished tasks until its first Pod", median(resumed), AT_MOST, " s")]
        if width == 1000
        else []
    )
    return Report(f"Cluster: resume of a run with {width:,} finished tasks", how, rows, str(meter), goals)


def _fresh(there: Installation, watch: PodWatch, name: str) -> float:
    begin = time.time()
    there.create_flowrun(name, FLOW, scripts.mended(2))
    return _first_pod(there, watch, "flowruns", name, begin)


def _resume(there: Installation, watch: PodWatch, name: str, width: int, run: str) -> float:
    begin = time.time()
    there.create_resume(name, FLOW, scripts.mended(width), run)
    return _first_pod(there, watch, "resumes", name, begin)


def _first_pod(there: Installation, watch: PodWatch, plural: str, name: str, begin: float) -> float:
    watch.wait(lambda pods: bool(pods), f"the first Pod of {name}", 120)
    seconds = min(pod.created for pod in watch.pods.values()) - begin
    there.wait_complete(name, 120)
    there.delete(plural, name)
    watch.clear()
    return seconds
