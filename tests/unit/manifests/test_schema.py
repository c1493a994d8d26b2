from __future__ import annotations

from typing import Any

import pytest

from reflow.manifests.schema import check
from reflow.values.errors import UsageError
from tests.unit.manifests.builders import flowrun, resume


def refusal(obj: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as caught:
        check(obj, "x.yaml:1")
    return str(caught.value)


def test_a_good_manifest_comes_back_with_its_defaults() -> None:
    assert check(flowrun(), "x.yaml")["spec"] == {
        "flow": "DebugFlow",
        "code": {"inline": "pass\n"},
        "maxWorkers": 100,
        "suspend": False,
        "cancel": False,
    }


def test_a_resume_has_no_default_for_what_it_takes_from_its_origin() -> None:
    assert "maxWorkers" not in check(resume(), "x.yaml")["spec"]


def test_a_null_is_as_good_as_nothing() -> None:
    obj = flowrun()
    obj["spec"] |= {"image": None, "maxWorkers": None}
    assert check(obj, "x.yaml")["spec"]["maxWorkers"] == 100
    assert "image" not in check(obj, "x.yaml")["spec"]


def test_what_is_in_parameters_and_a_pod_spec_is_nobodys_business() -> None:
    spec = {"parameters": {"a": None, "b": [{"c": 1}]}, "podTemplate": {"spec": {"tolerations": [{"x": 1}]}}}
    assert check(flowrun(**spec), "x.yaml")["spec"]["parameters"] == spec["parameters"]


def test_a_misspelt_field_gets_the_right_one_named() -> None:
    assert refusal(flowrun(maxworker=3)) == (
        "x.yaml:1: spec.maxworker: there is no such field. Did you mean maxWorkers?"
    )


def test_a_misspelt_field_deep_down_gets_its_path() -> None:
    assert refusal(flowrun(steps={"train": {"retry": 3}})) == (
        "x.yaml:1: spec.steps.train.retry: there is no such field. Did you mean retries?"
    )


def test_a_field_like_no_other_gets_all_of_them_named() -> None:
    assert "There are annotations, labels." in refusal(flowrun(podTemplate={"metadata": {"zzz": 1}}))


FAULTS: list[tuple[dict[str, Any], str]] = [
    (flowrun(flow=None), "spec.flow: it is missing."),
    (
        flowrun(flow="no-dashes"),
        "spec.flow: 'no-dashes' doesn't fit the pattern ^[A-Za-z_][A-Za-z0-9_]*$",
    ),
    (flowrun(flow=3), "spec.flow: it must be text, not 3. Put it in quotes."),
    (flowrun(maxWorkers="3"), "spec.maxWorkers: it must be a whole number, not '3'."),
    (flowrun(maxWorkers=0), "spec.maxWorkers: 0 is too small; the least is 1."),
    (flowrun(maxWorkers=10001), "spec.maxWorkers: 10001 is too big; the most is 10000."),
    (flowrun(suspend="yes"), "spec.suspend: it must be true or false, not 'yes'."),
    (flowrun(parameters=[1]), "spec.parameters: it must be an object, not a list."),
    (flowrun(code={"inline": ""}), "spec.code.inline: it must not be empty."),
    (
        flowrun(code={"inline": "x" * 131073}),
        "spec.code.inline: it has 131073 characters; the most is 131072.",
    ),
    (flowrun(code={}), "spec.code: exactly one of inline, package and image must be set."),
    (
        flowrun(steps={"a": {"resources": {"limits": {"cpu": True}}}}),
        "spec.steps.a.resources.limits.cpu: it must be a whole number or text, not true.",
    ),
    (
        flowrun(steps={"a": {"resources": {"limits": {"cpu": "much"}}}}),
        "spec.steps.a.resources.limits.cpu: 'much' doesn't fit the pattern",
    ),
    (
        resume(parameters={"alpha": 3}),
        "spec.parameters: a Resume reuses its origin's parameter values; they can't be set.",
    ),
]


@pytest.mark.parametrize(("obj", "message"), FAULTS)
def test_each_fault_is_one_sentence(obj: dict[str, Any], message: str) -> None:
    assert refusal(obj).startswith(f"x.yaml:1: {message}")


def test_several_faults_are_listed_in_order() -> None:
    assert refusal(flowrun(flow=None, maxWorkers=0, tpyo=1)).splitlines() == [
        "x.yaml:1: 3 things are wrong with it.",
        "  spec.flow: it is missing.",
        "  spec.tpyo: there is no such field. There are activeDeadlineSeconds, cancel, code, flow, image,"
        " maxWorkers, parameters, podTemplate, resumeFrom, steps, store, suspend, ttlSecondsAfterFinished.",
        "  spec.maxWorkers: 0 is too small; the least is 1.",
    ]


def test_very_many_faults_are_counted() -> None:
    steps = {f"s{number}": {"retries": -1} for number in range(30)}
    assert refusal(flowrun(steps=steps)).splitlines()[-1] == "  and 20 more."


def test_metadata_is_checked_as_an_api_server_does() -> None:
    obj = flowrun()
    obj["metadata"] = {"nmae": "x"}
    assert "metadata.nmae: there is no such field. Did you mean name?" in refusal(obj)
    assert "metadata.name: it is missing." in refusal(obj)
    obj["metadata"] = {"name": "Debug_1"}
    assert "metadata.name: 'Debug_1' doesn't fit the pattern" in refusal(obj)


def test_a_kind_of_somebody_elses_is_refused() -> None:
    assert refusal({**flowrun(), "kind": "FlowRuns"}).endswith("Did you mean FlowRun?")
    assert refusal({**flowrun(), "apiVersion": "v1"}) == (
        "x.yaml:1: apiVersion is 'v1'; a manifest of Reflow's has reflow.dev/v1alpha1."
    )
    assert refusal({}).startswith("x.yaml:1: apiVersion is missing;")
