"""Packages in Pods: archived where the flow is packaged, unpacked by the Pod's runner, in the place of the image's own.

The operator's own code decides what a Pod is told; the Pod's runner is the process that it is, in a Python that stands
for an image's, with packages of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reflow.engine.events import Start
from reflow.engine.state import RunState
from reflow.environments.archive import archives_of
from reflow.environments.lock import from_json
from reflow.manifests.parse import parse_flowrun
from reflow.store import gc
from reflow.store.flowstore import FlowStore
from reflow.store.folder import FolderStore
from reflow.store.gc_runs import Wish
from reflow.store.values import RunEnd
from reflow.values.key import TaskKey
from reflow_operator.held import Refused
from reflow_operator.launching import task_json
from reflow_operator.objects import ObjectKey
from reflow_operator.opening import claim_run, policies, prepare, read_source
from reflow_operator.pods import Owner
from reflow_operator.running import Run
from tests.integration.environments.conftest import Bench
from tests.integration.environments.wheelhouse import wheel
from tests.integration.local.laptop import RUNTIME

FLOW = """
from reflow import FlowSpec, pypi, step
import os, sys


def seen(module):
    try:
        return __import__(module).VERSION
    except ImportError:
        return None


class Packed(FlowSpec):
    @step
    def start(self):
        self.image = seen("alpha"), seen("decoy")
        self.next(self.packed)

    @pypi(packages={"alpha": "1.0", "beta[more]": ""})
    @step
    def packed(self):
        import importlib.metadata, subprocess
        self.found = {name: seen(name) for name in ("alpha", "beta", "gamma", "decoy")}
        self.version = importlib.metadata.version("alpha")
        self.below = subprocess.check_output([sys.executable, "-c", "import alpha; print(alpha.VERSION)"], text=True)
        self.tool = subprocess.run(["beta-says"]).returncode
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    Packed()
"""


@dataclass
class Cluster:
    """Enough of one: an image's Python, a working directory, and what the operator decides. `python`: the image's."""

    bench: Bench
    folder: Path
    python: Path

    @property
    def store(self) -> FlowStore:
        return FlowStore(FolderStore(self.bench.folder / ".reflow"), "Packed")

    def apply(self, name: str, code: dict[str, Any], **spec: Any) -> Run:
        """The run of a FlowRun, claimed. Raises Refused."""
        meta = {
            "name": name,
            "namespace": "team",
            "uid": f"{name}-uid",
            "resourceVersion": "1",
            "generation": 1,
        }
        meta["creationTimestamp"] = "2026-11-24T06:00:00Z"
        obj = {
            "apiVersion": "reflow.dev/v1alpha1",
            "kind": "FlowRun",
            "metadata": meta,
            "spec": {"flow": "Packed", "code": code, **spec},
        }
        flowrun = parse_flowrun(obj)
        source, kept, package = read_source(self.store, flowrun.spec)
        manifest = claim_run(self.store, flowrun, prepare(self.store, flowrun, source, kept, package, 1.0))
        treatment = policies(manifest.graph, flowrun.spec)
        state, _ = RunState.rebuild(manifest.graph, treatment, ())
        owner = Owner("team", name, f"{name}-uid", "Packed", manifest.run)
        return Run(
            ObjectKey("FlowRun", "team", name), owner, flowrun.spec, manifest, self.store, state, treatment
        )

    def pod(self, run: Run, step: str) -> subprocess.CompletedProcess[str]:
        """A task's Pod, to its end."""
        work = self.folder / f"{run.manifest.run}-{step}"
        work.mkdir()
        return subprocess.run(
            [str(self.python), "-m", "reflow.task.pod"],
            cwd=work,
            env={
                "PATH": f"{self.python.parent}:/usr/bin:/bin",
                "PYTHONPATH": str(RUNTIME),
                "REFLOW_TERMINATION_LOG": str(work / "said"),
                "REFLOW_TASK": json.dumps(task_json(run, Start(TaskKey(step)))),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def package(self, script: Path, *options: str) -> dict[str, Any]:
        """The code that a FlowRun names."""
        played = self.bench.reflow("package", str(script), *options)
        assert played.code == 0, played.all
        found: dict[str, Any] = yaml.safe_load(played.out)
        return dict(found["code"])


@pytest.fixture
def cluster(bench: Bench, tmp_path: Path) -> Cluster:
    image = tmp_path / "image"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(image)], check=True, timeout=60)
    site = next(image.glob("lib/python*/site-packages"))
    (site / "decoy.py").write_text("VERSION = 'image'\n")
    (site / "alpha.py").write_text("VERSION = 'image'\n")
    (tmp_path / "pods").mkdir()
    return Cluster(bench, tmp_path / "pods", image / "bin" / "python")


def test_a_pod_has_its_steps_packages_in_the_place_of_the_images(cluster: Cluster) -> None:
    bench = cluster.bench
    script = bench.write("packed.py", FLOW)
    code = cluster.package(script)
    run = cluster.apply("debug-1", {"package": code["package"], "script": code["script"]})
    for step in ("start", "packed", "end"):
        pod = cluster.pod(run, step)
        assert pod.returncode == 0, pod.stdout + pod.stderr
    name = run.manifest.run
    assert bench.value("Packed", name, "end/0", "image") == ("image", "image")
    found = bench.value("Packed", name, "end/0", "found")
    assert found == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0", "decoy": None}
    assert bench.value("Packed", name, "end/0", "version") == "1.0"
    assert bench.value("Packed", name, "end/0", "below") == "1.0\n"
    assert bench.value("Packed", name, "end/0", "tool") != 127

    cluster.store.finish(name, RunEnd(False, 2.0, "packed", "packed/0"))

    # Once more, with the fix in the FlowRun itself: the origin's archives will do, and no other code can.
    fixed = FLOW.replace("self.version =", "self.fixed = 1; self.version =")
    origin = {"runID": name, "fromStep": "packed"}
    again = cluster.apply("debug-2", {"inline": fixed, "script": "packed.py"}, resumeFrom=origin)
    assert again.manifest.environments == run.manifest.environments
    assert cluster.pod(again, "packed").returncode == 0
    cluster.store.finish(again.manifest.run, RunEnd(False, 3.0))

    # On the laptop, the run goes on with the very versions that the Pods had.
    resumed = bench.resume(script, "packed", "--origin-run-id", name)
    assert resumed.code == 0, resumed.all
    theirs, ours = (from_json(bench.manifest("Packed", run).environments)["packed"] for run in (name, "1"))
    assert theirs == ours

    # So it does where the FlowRun itself is run here, and a newer one is there to be had.
    wheel(bench.packages, "beta", "2.0")
    shutil.rmtree(bench.cache)
    obj = {"apiVersion": "reflow.dev/v1alpha1", "kind": "FlowRun", "metadata": {"name": "here"}}
    bench.write("flowrun.json", json.dumps({**obj, "spec": {"flow": "Packed", "code": code}}))
    bench.python = sys.executable  # a bare one can't read manifests
    applied = bench.reflow("apply", "--local", "-f", "flowrun.json")
    assert applied.code == 0, applied.all
    assert from_json(bench.manifest("Packed", "k8s-here").environments)["packed"] == theirs

    # gc keeps the archive for as long as a run refers to it.
    blobs = {archive.sha256 for archive in archives_of(run.manifest.environments, "packed")}
    assert len(blobs) == 1
    assert gc.survey(cluster.store.objects, "Packed", Wish()).live.objects >= 1
    with gc.Live() as live:
        gc.add_run(live, cluster.store.objects, gc.layout.run("Packed", name))
        assert {bytes.fromhex(blob) for blob in blobs} <= live.bucket(next(iter(blobs))[:2])


def test_a_flowrun_whose_packages_are_not_there_is_refused_before_it_begins(cluster: Cluster) -> None:
    with pytest.raises(Refused, match=r"Step 'packed' \(line 21\) asks for packages by @pypi") as refused:
        cluster.apply("debug-1", {"inline": FLOW, "script": "packed.py"})
    assert "`reflow package FILE`" in str(refused.value)
    with pytest.raises(Refused, match=r"pypi\(disabled=True\)"):
        cluster.apply("debug-1", {"inline": FLOW.replace("pypi", "conda"), "script": "packed.py"})
    assert list(cluster.store.runs()) == []

    script = cluster.bench.write("packed.py", FLOW)
    code = cluster.package(script)
    for path in (cluster.bench.folder / ".reflow" / "Packed" / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(Refused, match="are gone from the store"):
        cluster.apply("debug-1", {"package": code["package"], "script": code["script"]})
    assert list(cluster.store.runs()) == []


def test_a_step_that_runs_with_the_images_packages_needs_no_archive(cluster: Cluster) -> None:
    text = FLOW.replace('packages={"alpha": "1.0", "beta[more]": ""}', "disabled=True")
    run = cluster.apply("debug-1", {"inline": text, "script": "packed.py"})
    assert run.manifest.environments == {}


def test_an_image_with_another_python_is_told_which_it_takes(cluster: Cluster) -> None:
    other = "3.12" if sys.version_info[:2] != (3, 12) else "3.13"
    script = cluster.bench.write("packed.py", FLOW)
    code = cluster.package(
        script, "--python", other, "--platform", "linux/amd64", "--platform", "linux/arm64"
    )
    run = cluster.apply("debug-1", {"package": code["package"], "script": code["script"]})
    assert [one.platform for one in archives_of(run.manifest.environments, "packed")] == ["any"]
    assert cluster.pod(run, "start").returncode == 0
    pod = cluster.pod(run, "packed")
    assert pod.returncode == 1
    assert f"were archived for Python {other} on any, and this image has Python" in pod.stderr
    said = json.loads((cluster.folder / f"{run.manifest.run}-packed" / "said").read_text())
    assert "were archived for" in said["error"]
    assert (said["status"], said["final"]) == ("failed", True), "another Pod would fare no better"


def test_packages_that_cannot_be_archived_are_told_with_their_step(cluster: Cluster) -> None:
    for before, after, words in (
        ('"1.0"', '"9.9"', "alpha==9.9"),
        ("@pypi(", "@conda(", "only those of @pypi can"),
    ):
        text = FLOW.replace(before, after).replace("FlowSpec, pypi", "FlowSpec, conda, pypi")
        played = cluster.bench.reflow("package", str(cluster.bench.write("packed.py", text)))
        assert played.code == 1
        assert "packed.py:21: The packages of step packed" in played.err
        assert words in played.err
    assert not list(cluster.store.objects.list("Packed/code/"))


def test_a_run_crosses_over_without_archives_once_its_packed_step_has_finished(cluster: Cluster) -> None:
    """What Pods won't run needs no packages there; what they would run does."""
    text = FLOW.replace("def end(self):\n        pass", "def end(self):\n        1 / 0")
    script = cluster.bench.write("packed.py", text)
    assert cluster.bench.run(script).code == 1
    fixed = {"inline": text.replace("1 / 0", "pass"), "script": "packed.py"}
    run = cluster.apply("debug-1", fixed, resumeFrom={"runID": "1"})
    kept = from_json(cluster.bench.manifest("Packed", "1").environments)
    assert from_json(run.manifest.environments) == kept
    assert archives_of(run.manifest.environments, "packed") == ()
    assert cluster.pod(run, "end").returncode == 0
    cluster.store.finish(run.manifest.run, RunEnd(True, 2.0))
    with pytest.raises(Refused, match="Step 'packed'"):
        cluster.apply("debug-2", fixed, resumeFrom={"runID": "1", "fromStep": "packed"})
