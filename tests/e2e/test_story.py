"""The main job: a flow fails in the cluster, is resumed there with the fix, and is reproduced on the laptop."""

from __future__ import annotations

import pytest

from reflow import Flow, Run
from tests.e2e.laptop import Laptop
from tests.e2e.manifests import EXAMPLES, resume
from tests.e2e.site import Team

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
TEAM = "story"
FAILURE = "ValueError: invalid literal for int() with base 10: '2fail'"
DEBUG = (EXAMPLES / "debug" / "debug.py").read_text()
FIXED = DEBUG.replace("int('2fail')", "int('2')")


@pytest.fixture(scope="module")
def failed(team: Team) -> Team:
    team.kubectl("apply", "-f", str(EXAMPLES / "debug" / "flowrun.yaml"))
    team.wait("debug-1", "Failed")
    return team


@pytest.fixture(scope="module")
def resumed(failed: Team) -> Team:
    failed.kubectl("apply", "-f", str(EXAMPLES / "debug" / "resume.yaml"))
    failed.wait("debug-1-fixed", "Complete", kind="resume")
    return failed


def test_each_task_has_a_pod_and_get_shows_what_failed(failed: Team) -> None:
    header, row = failed.kubectl("get", "flowruns", "debug-1").splitlines()
    assert header.split() == ["NAME", "PHASE", "FLOW", "RUN", "DONE", "FAILED-STEP", "AGE"]
    assert row.split()[:6] == ["debug-1", "Failed", "DebugFlow", "k8s-debug-1", "2/3", "b"]
    counts = failed.status("debug-1")["counts"]
    assert counts == {"total": 3, "running": 0, "succeeded": 2, "failed": 1, "cloned": 0}
    scheduled = failed.kubectl("get", "events", "--field-selector=reason=Scheduled", "-o", "name")
    assert {name.split("-")[2] for name in scheduled.split() if "/debug-1-" in name} >= {"start", "a", "b"}


def test_describe_names_step_task_exception_and_pod(failed: Team) -> None:
    failure = failed.status("debug-1")["failure"]
    assert failure["step"] == "b"
    assert failure["task"] == "0"
    assert failure["message"] == FAILURE
    described = failed.describe("flowrun", "debug-1")
    assert f"Step b (task 0) failed (Pod {failure['pod']}): {FAILURE}" in " ".join(described.split())
    told = [event for event in failed.events("debug-1") if event.startswith("TaskFailed: ")]
    assert len(told) == 1
    assert FAILURE in told[0]


def test_the_pod_that_failed_stays_and_its_log_has_the_traceback(failed: Team) -> None:
    pod = failed.status("debug-1")["failure"]["pod"]
    log = failed.kubectl("logs", pod)
    assert 'File "debug.py", line 16, in b' in log.replace("/work/reflow/", "")
    assert FAILURE in log


def test_a_resume_clones_what_succeeded_without_pod_or_copy(failed: Team) -> None:
    before = failed.bucket.names("DebugFlow/blobs/")
    failed.kubectl("apply", "-f", str(EXAMPLES / "debug" / "resume.yaml"))
    status = failed.wait("debug-1-fixed", "Complete", kind="resume")
    assert status["originRunID"] == "k8s-debug-1"
    assert status["counts"] == {"total": 5, "running": 0, "succeeded": 3, "failed": 0, "cloned": 2}
    cloned = {step["name"] for step in status["steps"] if step.get("cloned")}
    assert cloned == {"start", "a"}
    assert failed.bucket.own("DebugFlow", "k8s-debug-1-fixed") == {"b/0", "join/0", "end/0"}
    assert not set(failed.steps_with_pods("debug-1-fixed")) & {"start", "a"}
    assert failed.bucket.names("DebugFlow/blobs/") == before, "a clone copies nothing"
    row = failed.kubectl("get", "resumes", "debug-1-fixed").splitlines()[1].split()
    assert "Complete" in row


def test_a_resume_of_the_resume_clones_from_both(resumed: Team) -> None:
    resumed.apply(resume("debug-1-again", "debug-1-fixed", FIXED, fromStep="join"))
    status = resumed.wait("debug-1-again", "Complete", kind="resume")
    assert status["originRunID"] == "k8s-debug-1-fixed"
    assert {s["name"] for s in status["steps"] if s.get("cloned")} == {"start", "a", "b"}
    results = resumed.bucket.results("DebugFlow", "k8s-debug-1-again")
    assert results["a/0"] == resumed.bucket.results("DebugFlow", "k8s-debug-1")["a/0"]
    assert results["b/0"] == resumed.bucket.results("DebugFlow", "k8s-debug-1-fixed")["b/0"]
    assert resumed.bucket.own("DebugFlow", "k8s-debug-1-again") == {"join/0", "end/0"}


def test_on_the_laptop_the_run_fails_as_it_did_in_production_and_completes_with_the_fix(
    failed: Team, laptop: Laptop
) -> None:
    laptop.write("debug.py", DEBUG)
    where = ("--store", failed.bucket.url)
    said = laptop.plays("python", "debug.py", "resume", "--origin-run-id", "k8s-debug-1", *where, code=1)
    assert "Cloning previously run task k8s-debug-1/start/0" in said
    assert "Cloning previously run task k8s-debug-1/a/0" in said
    assert FAILURE in said
    assert "Step b (task-id 0) failed." in said
    laptop.write("debug.py", FIXED)
    said = laptop.plays("python", "debug.py", "resume", "--origin-run-id", "k8s-debug-1", *where, code=0)
    assert "total is 3" in said
    assert "Cloning previously run task k8s-debug-1/a/0" in said


def test_the_client_reads_artifacts_and_logs_of_both_runs(resumed: Team) -> None:
    store = resumed.bucket.url
    production = Run("DebugFlow/k8s-debug-1", store=store)
    assert not production.successful
    assert production["a"].task.data.x == 1
    assert FAILURE in production["b"].task.stderr
    fixed = Run("DebugFlow/k8s-debug-1-fixed", store=store)
    assert fixed.successful
    assert (fixed["a"].task.data.x, fixed["b"].task.data.x) == (1, 2)
    assert "total is 3" in fixed["join"].task.stdout
    runs = {run.id for run in Flow("DebugFlow", store=store)}
    assert {"k8s-debug-1", "k8s-debug-1-fixed"} <= runs


def test_a_run_that_failed_on_the_laptop_is_resumed_in_the_cluster(team: Team, laptop: Laptop) -> None:
    laptop.write("debug.py", DEBUG)
    said = laptop.plays("python", "debug.py", "run", "--store", team.bucket.url, code=1)
    run = said.split("(run-id ")[1].split(")")[0]
    team.apply(resume("from-laptop", None, FIXED, originRunID=run, flow="DebugFlow"))
    status = team.wait("from-laptop", "Complete", kind="resume")
    assert status["originRunID"] == run
    assert {step["name"] for step in status["steps"] if step.get("cloned")} == {"start", "a"}
    assert "total is 3" in Run("DebugFlow/k8s-from-laptop", store=team.bucket.url)["join"].task.stdout
