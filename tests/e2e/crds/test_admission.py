"""What a real API server takes and refuses, and that `manifests.schema` does the same on a laptop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reflow.manifests.load import load
from reflow.manifests.schema import check
from reflow.values.errors import UsageError
from tests.e2e.crds.conftest import Kubectl
from tests.unit.manifests.builders import flowrun, resume
from tests.unit.manifests.test_rules import CASES
from tests.unit.manifests.test_schema import FAULTS

pytestmark = pytest.mark.cluster

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

FULL = flowrun(
    image="python:3.12",
    parameters={"alpha": 0.1, "nothing": None, "list": [1, {"a": True}]},
    podTemplate={"metadata": {"labels": {"a": "b"}}, "spec": {"tolerations": [{"operator": "Exists"}]}},
    steps={"train": {"resources": {"requests": {"cpu": 1, "memory": "2Gi"}}, "retries": 2}},
    activeDeadlineSeconds=60,
    ttlSecondsAfterFinished=0,
    store="fast",
)
GOOD = [flowrun(), FULL, resume(), flowrun(image=None, suspend=True), *(good for _, good, _, _ in CASES)]
BAD = [
    *(bad for _, _, bad, _ in CASES),
    *(obj for obj, _ in FAULTS),
    flowrun(maxworkers=3),
    flowrun(steps={"train": {"retry": 3}}),
    flowrun(podTemplate={"sepc": {}}),
    resume(orignRef={"name": "x"}),
]


def taken_here(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    try:
        return check(obj, "x.yaml")
    except UsageError:
        return None


@pytest.mark.parametrize("obj", GOOD, ids=json.dumps)
def test_what_is_good_is_taken_here_and_there_with_the_same_defaults(
    kubectl: Kubectl, obj: Mapping[str, Any]
) -> None:
    answer = kubectl.asked(obj)
    assert answer.taken, answer.message
    here = taken_here(obj)
    assert here is not None
    assert answer.object["spec"] == here["spec"]


@pytest.mark.parametrize("obj", BAD, ids=lambda obj: json.dumps(obj)[:200])
def test_what_is_bad_is_refused_here_and_there(kubectl: Kubectl, obj: Mapping[str, Any]) -> None:
    assert taken_here(obj) is None
    assert not kubectl.asked(obj).taken


def test_a_misspelt_field_is_named(kubectl: Kubectl) -> None:
    assert 'unknown field "spec.maxworkers"' in kubectl.asked(flowrun(maxworkers=3)).message


def test_a_rules_own_message_is_what_the_user_sees(kubectl: Kubectl) -> None:
    message = kubectl.asked(resume(parameters={"alpha": 3})).message
    assert "a Resume reuses its origin's parameter values; they can't be set." in message
    assert "exactly one of inline, package and image must be set." in kubectl.asked(flowrun(code={})).message


@pytest.mark.parametrize(
    "file", sorted(EXAMPLES.glob("*/*.yaml")), ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_an_example_is_taken(kubectl: Kubectl, file: Path) -> None:
    for document in load(str(file)):
        answer = kubectl.asked(document.object)
        assert answer.taken, answer.message


@pytest.fixture(scope="module")
def existing(kubectl: Kubectl) -> Kubectl:
    """A full FlowRun and a small one, a full Resume and a small one; suspended, so that nothing comes of them."""
    small = flowrun(suspend=True)
    small_resume = resume(suspend=True)
    full = {**FULL, "metadata": {"name": "full"}, "spec": {**FULL["spec"], "suspend": True}}
    full_resume = {
        **full,
        "kind": "Resume",
        "spec": {
            **{name: value for name, value in full["spec"].items() if name != "parameters"},
            "originRef": {"name": "none"},
            "fromStep": "a",
        },
    }
    items = [small, small_resume, full, full_resume]
    kubectl.must("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return kubectl


MUTABLE = [
    {"maxWorkers": 7},
    {"suspend": False},
    {"activeDeadlineSeconds": 5},
    {"ttlSecondsAfterFinished": 5},
]
OTHER = {
    "flow": "OtherFlow",
    "code": {"inline": "other"},
    "image": "other",
    "parameters": {"alpha": 0.2},
    "podTemplate": {"spec": {"tolerations": [{"operator": "Exists", "key": "x"}]}},
    "steps": {"train": {"retries": 3}},
    "store": "other",
}


@pytest.mark.parametrize("kind", ["flowrun", "resume"])
@pytest.mark.parametrize("name", ["debug-1", "full"])
@pytest.mark.parametrize("change", MUTABLE, ids=json.dumps)
def test_limits_may_be_changed(existing: Kubectl, kind: str, name: str, change: dict[str, Any]) -> None:
    answer = existing.patched(kind, name, change)
    assert answer.taken, answer.message


@pytest.mark.parametrize("field", sorted(OTHER))
def test_a_flowruns_field_can_not_be_changed(existing: Kubectl, field: str) -> None:
    answer = existing.patched("flowrun", "full", {field: OTHER[field]})
    assert not answer.taken
    assert f"spec.{field}: Forbidden: {field} can't be changed once the FlowRun exists" in answer.message


@pytest.mark.parametrize("field", ["image", "parameters", "podTemplate", "steps", "store"])
def test_a_flowruns_field_can_not_be_added_nor_taken_away(existing: Kubectl, field: str) -> None:
    for answer in (
        existing.patched("flowrun", "debug-1", {field: OTHER[field]}),
        existing.patched("flowrun", "full", {field: None}),
    ):
        assert f"{field} can't be changed once the FlowRun exists; make a new FlowRun." in answer.message


RESUME_OTHER = {
    **{name: OTHER[name] for name in ("flow", "code", "image", "podTemplate", "steps", "store")},
    "originRef": {"name": "other"},
    "fromStep": "b",
}


@pytest.mark.parametrize("field", sorted(RESUME_OTHER))
def test_a_resumes_field_can_not_be_changed(existing: Kubectl, field: str) -> None:
    answer = existing.patched("resume", "full", {field: RESUME_OTHER[field]})
    assert f"{field} can't be changed once the Resume exists; make a new Resume." in answer.message


def test_a_parameter_deep_down_can_not_be_changed(existing: Kubectl) -> None:
    answer = existing.patched("flowrun", "full", {"parameters": {"list": [1, {"a": False}]}})
    assert "parameters can't be changed" in answer.message


@pytest.mark.parametrize("kind", ["flowrun", "resume"])
def test_a_run_can_be_cancelled_once_and_for_all(kubectl: Kubectl, kind: str) -> None:
    obj = (flowrun if kind == "flowrun" else resume)(suspend=True, cancel=True)
    obj["metadata"]["name"] = "cancelled"
    kubectl.must("create", "-f", "-", stdin=json.dumps(obj))
    for change in ({"cancel": False}, {"cancel": None}):
        answer = kubectl.patched(kind, "cancelled", change)
        assert "cancel can't be taken back" in answer.message
    assert kubectl.patched(kind, "cancelled", {"maxWorkers": 3}).taken


STATUS = {
    "observedGeneration": 1,
    "phase": "Failed",
    "runID": "k8s-debug-1",
    "originRunID": "17",
    "progress": "3/5",
    "counts": {"total": 5, "running": 0, "succeeded": 2, "failed": 1, "cloned": 1},
    "steps": [{"name": "start", "total": 1, "succeeded": 1}],
    "failure": {"step": "b", "task": "0", "attempt": 0, "pod": "p", "message": "ValueError: no"},
    "again": [{"step": "join", "tasks": 1, "reason": "its input runs again"}],
    "startTime": "2026-11-22T00:00:00Z",
    "completionTime": "2026-11-22T00:00:01Z",
    "conditions": [
        {
            "type": "Failed",
            "status": "True",
            "reason": "TaskFailed",
            "message": "Step b failed.",
            "lastTransitionTime": "2026-11-22T00:00:01Z",
            "observedGeneration": 1,
        }
    ],
}


@pytest.mark.parametrize("kind", ["flowrun", "resume"])
def test_a_whole_status_is_kept_shown_and_can_be_waited_for(kubectl: Kubectl, kind: str) -> None:
    obj = (flowrun if kind == "flowrun" else resume)(suspend=True)
    obj["metadata"]["name"] = "ended"
    kubectl.must("create", "-f", "-", stdin=json.dumps(obj))
    kubectl.must(
        "patch", kind, "ended", "--subresource=status", "--type=merge", "-p", json.dumps({"status": STATUS})
    )
    kubectl.must("wait", f"{kind}/ended", "--for=condition=Failed", "--timeout=5s")
    found = json.loads(kubectl.must("get", kind, "ended", "-o", "json"))
    assert {name: found["status"].get(name) for name in STATUS} == STATUS
    shown = kubectl.must("get", kind, "ended", "--no-headers").split()
    assert shown[:-1] == (
        ["ended", "Failed", "DebugFlow", "k8s-debug-1", "3/5", "b"]
        if kind == "flowrun"
        else ["ended", "Failed", "17", "k8s-debug-1", "3/5", "b"]
    )
    assert "ended" in kubectl.must("get", kind, "--field-selector=status.phase=Failed", "-o", "name")


def test_short_names_and_the_category_work(existing: Kubectl) -> None:
    assert "debug-1" in existing.must("get", "fr", "-o", "name")
    assert "debug-1" in existing.must("get", "rsm", "-o", "name")
    assert {"flowrun.reflow.dev/full", "resume.reflow.dev/full"} <= set(
        existing.must("get", "reflow", "-o", "name").split()
    )
