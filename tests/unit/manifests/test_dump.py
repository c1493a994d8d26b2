from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reflow.manifests import schema
from reflow.manifests.dump import flowrun_spec, resume_spec
from reflow.manifests.parse import parse_flowrun_spec, parse_resume_spec
from reflow.manifests.types import (
    FlowRunSpec,
    ImageCode,
    Inline,
    Package,
    Resources,
    ResumeFrom,
    ResumeSpec,
    StepOverride,
)
from tests.unit.manifests.builders import flowrun, resume

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
scripts = st.sampled_from(["debug.py", "flows/a.py"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
templates = st.none() | st.just({"metadata": {"labels": {"a": "b"}}, "spec": {"hostNetwork": False}})
quantities = st.dictionaries(
    st.sampled_from(["cpu", "memory", "nvidia.com/gpu"]), st.sampled_from(["1", "500m", "2Gi", "1e3", ".5"])
)
codes = (
    st.builds(Inline, st.text(min_size=1, max_size=20), scripts)
    | st.builds(Package, st.just("a" * 64), scripts)
    | st.builds(ImageCode, st.just("/app/debug.py"))
)
overrides = st.builds(
    StepOverride,
    resources=st.none() | st.builds(Resources, quantities, quantities),
    retries=st.none() | st.integers(0, 100),
    retry_delay_seconds=st.none() | st.integers(0, 86400),
    timeout_seconds=st.none() | st.integers(1, 1000),
    pod_template=templates,
)


@st.composite
def specs(draw: st.DrawFn) -> FlowRunSpec:
    resume_from = draw(st.none() | st.builds(ResumeFrom, st.just("k8s-a.b"), st.none() | names))
    code = draw(codes)
    return FlowRunSpec(
        flow=draw(names),
        code=code,
        image="python:3.12" if isinstance(code, ImageCode) else draw(st.none() | st.just("python:3.12")),
        parameters={} if resume_from else draw(st.dictionaries(names, values, max_size=3)),
        max_workers=draw(st.integers(1, 10000)),
        pod_template=draw(templates),
        steps=draw(st.dictionaries(names, overrides, max_size=3)),
        suspend=draw(st.booleans()),
        cancel=draw(st.booleans()),
        active_deadline_seconds=draw(st.none() | st.integers(1, 1000)),
        ttl_seconds_after_finished=draw(st.none() | st.integers(0, 1000)),
        store=draw(st.none() | st.just("fast")),
        resume_from=resume_from,
    )


@settings(deadline=None)  # the first check loads the CRDs
@given(specs())
def test_a_spec_written_out_is_taken_by_the_schema_and_read_back_the_same(spec: FlowRunSpec) -> None:
    written: dict[str, Any] = json.loads(json.dumps(flowrun_spec(spec)))
    obj = {**flowrun(), "spec": written}
    assert parse_flowrun_spec(schema.check(obj, "x.yaml")["spec"]) == spec


@st.composite
def resumes(draw: st.DrawFn) -> ResumeSpec:
    by_name = draw(st.booleans())
    return ResumeSpec(
        origin_ref="debug-1" if by_name else None,
        origin_run_id=None if by_name else "17",
        flow=draw(st.none() | names) if by_name else draw(names),
        from_step=draw(st.none() | names),
        code=draw(st.none() | codes),
        image=draw(st.none() | st.just("python:3.12")),
        max_workers=draw(st.none() | st.integers(1, 10000)),
        pod_template=draw(templates),
        steps=draw(st.dictionaries(names, overrides, max_size=3)),
        suspend=draw(st.booleans()),
        cancel=draw(st.booleans()),
        active_deadline_seconds=draw(st.none() | st.integers(1, 1000)),
        ttl_seconds_after_finished=draw(st.none() | st.integers(0, 1000)),
        store=draw(st.none() | st.just("fast")),
    )


@settings(deadline=None)
@given(resumes())
def test_a_resume_written_out_is_taken_by_the_schema_and_read_back_the_same(spec: ResumeSpec) -> None:
    written: dict[str, Any] = json.loads(json.dumps(resume_spec(spec)))
    obj = {**resume(), "spec": written}
    assert parse_resume_spec(schema.check(obj, "x.yaml")["spec"]) == spec


def test_what_is_not_set_is_not_written() -> None:
    assert flowrun_spec(FlowRunSpec(flow="F", code=Inline("x"))) == {
        "flow": "F",
        "code": {"inline": "x", "script": "flow.py"},
        "maxWorkers": 100,
    }
