from __future__ import annotations

from typing import Any

import pytest

from reflow.manifests.parse import ManifestError, parse, parse_flowrun, parse_resume
from reflow.manifests.types import (
    FlowRunSpec,
    ImageCode,
    Inline,
    Meta,
    Package,
    Resources,
    ResumeFrom,
    ResumeSpec,
    StepOverride,
)
from tests.unit.manifests.builders import flowrun, resume


def test_a_small_flowrun_gets_the_defaults() -> None:
    assert parse_flowrun(flowrun()).spec == FlowRunSpec(flow="DebugFlow", code=Inline("pass\n", "flow.py"))


def test_a_full_flowrun_keeps_all_it_says() -> None:
    template = {"spec": {"serviceAccountName": "x"}}
    found = parse_flowrun(
        flowrun(
            code={"package": "0" * 64, "script": "flows/debug.py"},
            image="python:3.12",
            parameters={"alpha": 0.1, "names": ["a"]},
            maxWorkers=7,
            podTemplate=template,
            steps={
                "train": {
                    "resources": {"requests": {"cpu": 1, "memory": "2Gi"}, "limits": {"memory": "2Gi"}},
                    "retries": 2,
                    "retryDelaySeconds": 5,
                    "timeoutSeconds": 60,
                    "podTemplate": template,
                }
            },
            suspend=True,
            cancel=True,
            activeDeadlineSeconds=3600,
            ttlSecondsAfterFinished=0,
            store="fast",
            resumeFrom={"runID": "k8s-debug-1", "fromStep": "b"},
        )
    )
    assert found.spec == FlowRunSpec(
        flow="DebugFlow",
        code=Package("0" * 64, "flows/debug.py"),
        image="python:3.12",
        parameters={"alpha": 0.1, "names": ["a"]},
        max_workers=7,
        pod_template=template,
        steps={
            "train": StepOverride(
                resources=Resources({"cpu": "1", "memory": "2Gi"}, {"memory": "2Gi"}),
                retries=2,
                retry_delay_seconds=5,
                timeout_seconds=60,
                pod_template=template,
            )
        },
        suspend=True,
        cancel=True,
        active_deadline_seconds=3600,
        ttl_seconds_after_finished=0,
        store="fast",
        resume_from=ResumeFrom("k8s-debug-1", "b"),
    )


def test_a_resume_leaves_open_what_its_origin_says() -> None:
    assert parse_resume(resume()).spec == ResumeSpec(origin_ref="debug-1")


def test_a_resume_by_run_id_names_the_flow() -> None:
    spec = parse_resume(
        resume(originRef=None, originRunID="17", flow="DebugFlow", code={"image": {"path": "/a.py"}})
    ).spec
    assert (spec.origin_ref, spec.origin_run_id, spec.flow) == (None, "17", "DebugFlow")
    assert spec.code == ImageCode("/a.py")


def test_the_kind_decides() -> None:
    assert parse(flowrun()) == parse_flowrun(flowrun())
    assert parse(resume()) == parse_resume(resume())


def test_an_object_from_the_api_keeps_its_metadata_and_status() -> None:
    obj = {
        **flowrun(),
        "metadata": {
            "name": "debug-1",
            "namespace": "team",
            "uid": "u",
            "generation": 2,
            "resourceVersion": "17",
            "labels": {"a": "b"},
            "annotations": {"c": "d"},
            "finalizers": ["f"],
            "creationTimestamp": "2026-11-22T00:00:00Z",
            "deletionTimestamp": "2026-11-23T00:00:00Z",
            "managedFields": [{}],
        },
        "status": {"phase": "Running"},
    }
    found = parse_flowrun(obj)
    assert found.status == {"phase": "Running"}
    assert found.meta == Meta(
        name="debug-1",
        namespace="team",
        uid="u",
        generation=2,
        resource_version="17",
        labels={"a": "b"},
        annotations={"c": "d"},
        finalizers=("f",),
        creation_timestamp="2026-11-22T00:00:00Z",
        deletion_timestamp="2026-11-23T00:00:00Z",
    )


@pytest.mark.parametrize(
    ("obj", "field", "reason"),
    [
        (
            {**flowrun(), "apiVersion": "v1"},
            "apiVersion",
            "it is 'v1', and this Reflow reads 'reflow.dev/v1alpha1'.",
        ),
        ({**flowrun(), "kind": "Pod"}, "kind", "it is 'Pod'; Reflow's kinds are FlowRun and Resume."),
        ({**flowrun(), "spec": None}, "spec", "it is missing."),
        (flowrun(flow=None), "spec.flow", "it is missing."),
        (flowrun(code={}), "spec.code", "exactly one of inline, package and image must be set."),
        (flowrun(code={"package": "0"}), "spec.code.script", "it is missing."),
        (flowrun(maxWorkers=True), "spec.maxWorkers", "it must be a whole number, not True."),
        (flowrun(steps={"a": 3}), "spec.steps.a", "it must be an object, not 3."),
        (
            flowrun(steps={"a": {"retries": "x"}}),
            "spec.steps.a.retries",
            "it must be a whole number, not 'x'.",
        ),
        (resume(originRunID="3"), "spec", "exactly one of originRef and originRunID must be set."),
        (
            resume(parameters={}),
            "spec.parameters",
            "a Resume reuses its origin's parameter values; they can't be set. Leave it out.",
        ),
    ],
)
def test_what_no_schema_caught_is_named_all_the_same(obj: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(obj)
    assert (caught.value.field, caught.value.reason) == (field, reason)
    assert str(caught.value) == f"{field}: {reason}"


def test_a_whole_number_may_come_as_a_float() -> None:
    assert parse_flowrun(flowrun(maxWorkers=7.0)).spec.max_workers == 7
