"""What can't run says so, uses up no run id, and keeps nobody else from running."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e import site as sites
from tests.e2e.kubectl import Json
from tests.e2e.manifests import flow, flowrun, resume
from tests.e2e.site import Site, Team, condition

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
TEAM = "inputs"
STEPS = flow("steps")


def steps(*lines: str, flow_name: str = "WrongFlow") -> str:
    """A flow: `start -> a, b`; a step with a star takes inputs; `alone` ends nowhere."""
    text = f"from reflow import FlowSpec, step\n\nclass {flow_name}(FlowSpec):\n"
    for line in lines:
        name, _, to = line.partition(" -> ")
        inputs = ", inputs" if name.endswith("*") else ""
        targets = ", ".join(f"self.{target}" for target in to.split(", "))
        body = f"self.next({targets})" if to else "pass"
        text += f"    @step\n    def {name.rstrip('*')}(self{inputs}):\n        {body}\n\n"
    return text + f"if __name__ == '__main__':\n    {flow_name}()\n"


@dataclass(frozen=True)
class Wrong:
    """A FlowRun that can't run: the reason of its condition Failed, and what its message says."""

    name: str
    text: str
    reason: str
    says: str
    flow: str = "WrongFlow"
    parameters: Any = None

    @property
    def manifest(self) -> Json:
        given = {"parameters": self.parameters} if self.parameters is not None else {}
        return flowrun(self.name, self.flow, self.text, **given)


SOUND = steps("start -> end", "end")
WRONG = (
    Wrong(
        "syntax",
        "class WrongFlow(:\n",
        "InvalidCode",
        r"not valid Python.*line 1|flow\.py:1.*not valid Python",
    ),
    Wrong("no-flow", "print('hello')\n", "InvalidCode", r"no flow|FlowSpec"),
    Wrong("no-start", steps("first -> end", "end"), "InvalidCode", r"no step 'start'"),
    Wrong("no-end", steps("start -> last", "last"), "InvalidCode", r"no step 'end'|self\.next"),
    Wrong(
        "unreached",
        steps("start -> end", "alone -> end", "end"),
        "InvalidCode",
        r"Nothing leads to step 'alone'",
    ),
    Wrong(
        "no-inputs",
        steps("start -> a, b", "a -> join", "b -> join", "join -> end", "end"),
        "InvalidCode",
        r"takes no inputs.*def join\(self, inputs\)",
    ),
    Wrong("other-flow", SOUND, "InvalidCode", r"WrongFlow.*OtherFlow|OtherFlow.*WrongFlow", flow="OtherFlow"),
    Wrong("no-parameter", SOUND, "InvalidParameters", r"no parameter 'alhpa'", parameters={"alhpa": 1}),
    Wrong(
        "no-number", STEPS, "InvalidParameters", r"seconds", flow="StepsFlow", parameters={"seconds": "soon"}
    ),
    Wrong("no-module", "import not_there\n" + SOUND, "InvalidCode", r"not_there"),
    Wrong(
        "unsettled-no-module",
        "import not_there\nfrom reflow import FlowSpec\n\n\nclass WrongFlow(not_there.Base):\n    pass\n",
        "InvalidCode",
        r"not_there|no flow",
    ),
)


@pytest.fixture(scope="module", autouse=True)
def applied(team: Team) -> None:
    """All of the wrong ones at once, and a good one in their midst."""
    half = len(WRONG) // 2
    team.apply(
        *(one.manifest for one in WRONG[:half]),
        flowrun("good", "StepsFlow", STEPS),
        flowrun("long", "StepsFlow", STEPS, parameters={"seconds": 600}),
        *(one.manifest for one in WRONG[half:]),
        flowrun("no-image", "StepsFlow", STEPS, image="localhost/not-there:1"),
        flowrun(
            "too-large", "StepsFlow", STEPS, steps={"start": {"resources": {"requests": {"cpu": "900"}}}}
        ),
        flowrun("bad-step", "StepsFlow", STEPS, steps={"strat": {"retries": 1}}),
    )


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_what_cant_run_fails_with_a_reason_and_uses_no_run_id(team: Team, wrong: Wrong) -> None:
    status = team.wait(wrong.name, "Failed", timeout=60)
    failed = condition(status, "Failed")
    assert failed["reason"] == wrong.reason, failed
    assert re.search(wrong.says, failed["message"], re.S), failed["message"]
    assert "Traceback" not in failed["message"]
    assert f"k8s-{wrong.name}" not in team.bucket.runs(wrong.flow)
    assert any(event.startswith(wrong.reason) for event in team.events(wrong.name))
    assert not team.get(wrong.name)["metadata"].get("finalizers"), "nothing keeps it from being deleted"


def test_the_operator_goes_on_with_the_others(team: Team) -> None:
    assert team.wait("good", "Complete")["progress"] == "3/3"


def test_an_override_of_an_unknown_step_is_told(team: Team) -> None:
    failed = condition(team.wait("bad-step", "Failed"), "Failed")
    assert failed["reason"] == "InvalidSpec"
    assert "no step 'strat'" in failed["message"]


def test_a_misspelt_field_is_refused_by_strict_validation(team: Team) -> None:
    wrong = flowrun("misspelt", "StepsFlow", STEPS, maxWorker=3)
    code, said = team.tries("apply", "--validate=strict", "-f", "-", stdin=sites.as_list([wrong]))
    assert code != 0
    assert re.search(r'unknown field "(spec\.)?maxWorker"', said), said


def test_a_resume_that_sets_parameters_is_refused(team: Team) -> None:
    wrong = resume("with-parameters", "good", STEPS, parameters={"seconds": 1})
    code, said = team.tries("apply", "-f", "-", stdin=sites.as_list([wrong]))
    assert code != 0
    assert "origin's parameter values" in said


def test_a_resume_of_a_run_id_needs_the_flow_where_nothing_else_tells_it(team: Team) -> None:
    wrong = resume("no-flow-said", originRunID="k8s-good")
    code, said = team.tries("apply", "-f", "-", stdin=sites.as_list([wrong]))
    assert code != 0
    assert "originRunID needs flow" in said


def test_what_a_run_was_started_with_cant_be_changed(team: Team) -> None:
    for spec in ('{"parameters":{"seconds":1}}', '{"flow":"OtherFlow"}', '{"code":{"inline":"pass"}}'):
        code, said = team.tries("patch", "flowrun", "good", "--type=merge", "-p", f'{{"spec":{spec}}}')
        assert code != 0
        assert "can't be changed" in said, said


@pytest.mark.parametrize(
    ("name", "spec", "reason", "says"),
    [
        ("no-origin", {"originRef": {"name": "nobody"}}, "OriginNotFound", "no FlowRun nobody"),
        ("no-run", {"originRunID": "k8s-nobody", "flow": "StepsFlow"}, "OriginNotFound", "k8s-nobody"),
        ("no-step", {"originRef": {"name": "good"}, "fromStep": "mittle"}, "InvalidSpec", "mittle"),
        ("of-refused", {"originRef": {"name": "no-start"}}, "OriginNotFound", "never began"),
    ],
)
def test_a_resume_of_what_isnt_there_says_so(
    team: Team, name: str, spec: Json, reason: str, says: str
) -> None:
    team.wait("good", "Complete")
    team.wait("no-start", "Failed")
    team.apply(resume(f"r-{name}", **spec))
    failed = condition(team.wait(f"r-{name}", "Failed", kind="resume"), "Failed")
    assert failed["reason"] == reason, failed
    assert says in failed["message"]
    assert f"k8s-r-{name}" not in team.bucket.runs("StepsFlow")


def test_a_run_that_goes_on_cant_be_resumed(team: Team) -> None:
    team.site.shell.watch(
        "flowrun/long",
        until=lambda found: found.get("status", {}).get("counts", {}).get("succeeded") == 1,
        timeout=60,
        namespace=team.namespace,
    )
    team.apply(
        resume("r-running", "long", STEPS),
        resume("r-running-id", None, STEPS, originRunID="k8s-long", flow="StepsFlow"),
    )
    for name in ("r-running", "r-running-id"):
        failed = condition(team.wait(name, "Failed", kind="resume"), "Failed")
        assert failed["reason"] == "OriginStillRunning"
    team.kubectl("patch", "flowrun", "long", "--type=merge", "-p", '{"spec":{"cancel":true}}')


def test_an_image_that_cant_be_pulled_shows_up_as_such(team: Team) -> None:
    status = team.wait("no-image", "Failed", timeout=90)
    message = status["failure"]["message"]
    assert "the image can't be had" in message
    assert re.search("ErrImagePull|ImagePullBackOff", message)
    assert "localhost/not-there:1" in message


def test_a_pod_that_fits_nowhere_shows_up_as_such(team: Team) -> None:
    team.kubectl("wait", "flowrun/too-large", "--for=condition=PodsReady=False", "--timeout=60s")
    stuck = condition(team.status("too-large"), "PodsReady")
    assert stuck["reason"] == "PodStuck"
    assert "can't be scheduled" in stuck["message"]
    assert "Insufficient cpu" in stuck["message"]
    assert "can't be scheduled" in " ".join(team.describe("flowrun", "too-large").split())
    team.kubectl("patch", "flowrun", "too-large", "--type=merge", "-p", '{"spec":{"cancel":true}}')
    team.wait("too-large", "Failed")


# The store


def secret(site: Site, **other: str) -> Json:
    said = site.shell.environment
    values = {
        "endpoint": said["REFLOW_TEST_S3_ENDPOINT_IN_CLUSTER"],
        "bucket": said["REFLOW_TEST_S3_BUCKET"],
        "prefix": site.system,
        "region": "us-east-1",
        "accessKey": said["REFLOW_TEST_S3_ACCESS_KEY"],
        "secretKey": said["REFLOW_TEST_S3_SECRET_KEY"],
        **other,
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "reflow-store"}, "stringData": values}


@pytest.mark.parametrize(
    ("name", "wrong", "reason", "says"),
    [
        ("nowhere", None, "StoreSecretMissing", "reflow-store"),
        ("unreachable", {"endpoint": "http://10.250.0.1:9"}, "StoreUnavailable", "10.250.0.1:9"),
        ("refused", {"secretKey": "not-the-key"}, "StoreRefused", "key"),
    ],
)
def test_a_store_that_cant_be_used_holds_up_its_namespace_until_it_can(
    site: Site, team: Team, name: str, wrong: dict[str, str] | None, reason: str, says: str
) -> None:
    there = sites.team(site, name)
    if wrong is not None:
        there.apply(secret(site, **wrong))
    there.apply(flowrun("held", "StepsFlow", STEPS))
    there.kubectl("wait", "flowrun/held", "--for=condition=StoreReady=False", "--timeout=90s")
    store = condition(there.status("held"), "StoreReady")
    assert store["reason"] == reason
    assert says in store["message"]
    assert "not-the-key" not in store["message"]
    assert "HTTPConnection" not in store["message"]
    assert there.bucket.names() == set()
    assert there.pods() == []
    there.apply(secret(site))
    assert there.wait("held", "Complete", timeout=150)["progress"] == "3/3"
