"""Runs that are stopped, held, deleted, and made again."""

from __future__ import annotations

import pytest

from tests.e2e.kubectl import Json
from tests.e2e.manifests import flow, flowrun, resume
from tests.e2e.site import Team, condition

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
TEAM = "ending"
STEPS = flow("steps")


def patch(team: Team, name: str, spec: str, kind: str = "flowrun") -> None:
    team.kubectl("patch", kind, name, "--type=merge", "-p", f'{{"spec":{spec}}}')


def in_the_middle(team: Team, name: str) -> None:
    """Until its step `middle` runs."""

    def runs(found: Json) -> bool:
        steps = {step["name"]: step for step in found.get("status", {}).get("steps", ())}
        return bool(steps.get("middle", {}).get("running"))

    team.site.shell.watch(f"flowrun/{name}", until=runs, timeout=90, namespace=team.namespace)


def test_a_run_made_suspended_starts_no_pod_until_it_may(team: Team) -> None:
    team.apply(flowrun("suspended", "StepsFlow", STEPS, suspend=True))
    team.wait("suspended", "Suspended")
    assert team.pods("suspended") == []
    patch(team, "suspended", '{"suspend":false}')
    status = team.wait("suspended", "Complete")
    assert condition(status, "Suspended")["status"] == "False"


def test_suspending_lets_what_runs_finish_and_starts_nothing_more(team: Team) -> None:
    team.apply(flowrun("held", "StepsFlow", STEPS, parameters={"seconds": 4}))
    in_the_middle(team, "held")
    patch(team, "held", '{"suspend":true}')

    def idle(found: Json) -> bool:
        counts = found["status"]["counts"]
        return bool(counts["succeeded"] == 2 and not counts["running"])

    found = team.site.shell.watch("flowrun/held", until=idle, timeout=60, namespace=team.namespace)
    assert condition(found["status"], "Suspended")["status"] == "True"
    assert "end" not in team.steps_with_pods("held")
    patch(team, "held", '{"suspend":false}')
    assert team.wait("held", "Complete")["progress"] == "3/3"


def test_a_cancelled_run_is_over_its_pods_are_gone_and_it_can_be_resumed(team: Team) -> None:
    team.apply(flowrun("cancelled", "StepsFlow", STEPS, parameters={"seconds": 600}))
    in_the_middle(team, "cancelled")
    patch(team, "cancelled", '{"cancel":true}')
    status = team.wait("cancelled", "Failed")
    assert status["phase"] == "Cancelled"
    assert condition(status, "Failed")["reason"] == "Cancelled"
    assert [pod for pod in team.pods("cancelled") if pod["status"]["phase"] == "Running"] == []
    end = team.bucket.flow("StepsFlow").end("k8s-cancelled")
    assert end is not None
    assert not end.succeeded
    code, said = team.tries(
        "patch", "flowrun", "cancelled", "--type=merge", "-p", '{"spec":{"cancel":false}}'
    )
    assert code != 0, said

    quick = STEPS.replace("time.sleep(self.seconds)", "print(self.seconds)")
    team.apply(resume("cancelled-on", "cancelled", quick))
    status = team.wait("cancelled-on", "Complete", kind="resume")
    assert status["counts"]["cloned"] == 1
    assert team.bucket.flow("StepsFlow").manifest("k8s-cancelled-on").parameters == {"seconds": 600.0}


def test_a_run_past_its_deadline_is_stopped(team: Team) -> None:
    spec = {"parameters": {"seconds": 600}, "activeDeadlineSeconds": 8}
    team.apply(flowrun("late", "StepsFlow", STEPS, **spec))
    status = team.wait("late", "Failed")
    assert condition(status, "Failed")["reason"] == "DeadlineExceeded"
    assert "activeDeadlineSeconds" in condition(status, "Failed")["message"]


def test_a_run_past_its_ttl_is_deleted_with_its_pods_and_its_data_stays(team: Team) -> None:
    team.apply(flowrun("brief", "StepsFlow", STEPS, ttlSecondsAfterFinished=6))
    team.wait("brief", "Complete")
    results = team.bucket.results("StepsFlow", "k8s-brief")
    team.kubectl("wait", "--for=delete", "flowrun/brief", "--timeout=60s")
    team.kubectl("wait", "--for=delete", "pod", "-l", "reflow.dev/run=brief", "--timeout=60s")
    assert team.bucket.results("StepsFlow", "k8s-brief") == results


def test_an_object_made_again_adopts_its_finished_run(team: Team) -> None:
    spec = flowrun("again", "StepsFlow", STEPS)
    team.apply(spec)
    team.wait("again", "Complete")
    team.apply(spec)
    results = team.bucket.results("StepsFlow", "k8s-again")
    team.kubectl("delete", "flowrun", "again", "--timeout=60s")
    team.apply(spec)
    status = team.wait("again", "Complete", timeout=30)
    assert status["runID"] == "k8s-again"
    assert team.pods("again") == []
    assert "has run already" in condition(status, "Complete")["message"]
    assert team.bucket.results("StepsFlow", "k8s-again") == results

    team.kubectl("delete", "flowrun", "again", "--timeout=60s")
    spec["metadata"]["annotations"] = {"reflow.dev/run-again": "true"}
    team.apply(spec)
    status = team.wait("again", "Complete")
    uid = team.get("again")["metadata"]["uid"]
    assert status["runID"] == f"k8s-again-{uid[:5]}"
    assert status["counts"]["succeeded"] == 3


def test_a_run_deleted_while_it_runs_lets_go_and_can_be_resumed(team: Team) -> None:
    team.apply(flowrun("deleted", "StepsFlow", STEPS, parameters={"seconds": 600}))
    in_the_middle(team, "deleted")
    team.kubectl("delete", "flowrun", "deleted", "--timeout=90s")
    team.kubectl("wait", "--for=delete", "pod", "-l", "reflow.dev/run=deleted", "--timeout=60s")
    end = team.bucket.flow("StepsFlow").end("k8s-deleted")
    assert end is not None
    assert not end.succeeded
    quick = STEPS.replace("time.sleep(self.seconds)", "pass")
    team.apply(resume("deleted-on", None, quick, originRunID="k8s-deleted", flow="StepsFlow"))
    status = team.wait("deleted-on", "Complete", kind="resume")
    assert status["counts"]["cloned"] == 1


def test_a_resume_takes_its_flowrun_with_it_and_leaves_the_origin(team: Team) -> None:
    team.apply(flowrun("kept", "StepsFlow", STEPS))
    team.wait("kept", "Complete")
    team.apply(resume("gone", "kept", STEPS, fromStep="end"))
    status = team.wait("gone", "Complete", kind="resume")
    assert status["counts"] == {"total": 3, "running": 0, "succeeded": 1, "failed": 0, "cloned": 2}
    team.kubectl("delete", "resume", "gone", "--timeout=60s")
    team.kubectl("wait", "--for=delete", "flowrun/gone", "--timeout=60s")
    assert team.status("kept")["phase"] == "Complete"
    assert team.bucket.own("StepsFlow", "k8s-gone") == {"end/0"}
