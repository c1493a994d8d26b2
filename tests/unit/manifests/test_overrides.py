from __future__ import annotations

from reflow.graph.policy import step_policy
from reflow.graph.types import Decorator
from reflow.manifests.overrides import policy_overrides, resumed
from reflow.manifests.types import FlowRunSpec, Inline, Resources, ResumeFrom, ResumeSpec, StepOverride
from reflow.values.policy import StepPolicy

ORIGIN = FlowRunSpec(
    flow="DebugFlow",
    code=Inline("old"),
    image="python:3.11",
    parameters={"alpha": 1},
    max_workers=7,
    pod_template={"spec": {}},
    steps={"a": StepOverride(retries=1, timeout_seconds=60), "b": StepOverride(retries=2)},
    suspend=True,
    cancel=True,
    active_deadline_seconds=100,
    ttl_seconds_after_finished=200,
    store="fast",
    resume_from=ResumeFrom("k8s-older", "a"),
)


def test_a_resume_that_says_nothing_is_as_its_origin() -> None:
    assert resumed(ORIGIN, ResumeSpec(origin_ref="debug-1"), "k8s-debug-1") == FlowRunSpec(
        flow="DebugFlow",
        code=Inline("old"),
        image="python:3.11",
        max_workers=7,
        pod_template={"spec": {}},
        steps=ORIGIN.steps,
        active_deadline_seconds=100,
        ttl_seconds_after_finished=200,
        store="fast",
        resume_from=ResumeFrom("k8s-debug-1"),
    )


def test_what_a_resume_says_wins() -> None:
    resume = ResumeSpec(
        origin_ref="debug-1",
        from_step="b",
        code=Inline("new"),
        image="python:3.12",
        max_workers=9,
        pod_template={"metadata": {}},
        suspend=True,
        active_deadline_seconds=5,
        ttl_seconds_after_finished=0,
        store="slow",
    )
    assert resumed(ORIGIN, resume, "r") == FlowRunSpec(
        flow="DebugFlow",
        code=Inline("new"),
        image="python:3.12",
        max_workers=9,
        pod_template={"metadata": {}},
        steps=ORIGIN.steps,
        suspend=True,
        active_deadline_seconds=5,
        ttl_seconds_after_finished=0,
        store="slow",
        resume_from=ResumeFrom("r", "b"),
    )


def test_a_resume_does_not_inherit_that_its_origin_was_stopped() -> None:
    spec = resumed(ORIGIN, ResumeSpec(origin_ref="debug-1"), "r")
    assert not spec.cancel
    assert not spec.suspend


def test_a_steps_override_is_laid_over_the_origins_field_by_field() -> None:
    more = Resources(limits={"memory": "2Gi"})
    resume = ResumeSpec(
        origin_ref="x", steps={"a": StepOverride(retries=0), "c": StepOverride(resources=more)}
    )
    assert resumed(ORIGIN, resume, "r").steps == {
        "a": StepOverride(retries=0, timeout_seconds=60),
        "b": StepOverride(retries=2),
        "c": StepOverride(resources=more),
    }


def test_a_policy_is_changed_where_the_override_says_so() -> None:
    decorators = (
        Decorator("retry", {"times": 3, "minutes_between_retries": 1 / 60}),
        Decorator("catch"),
        Decorator("timeout", {"seconds": 10}),
    )

    def changed(override: StepOverride) -> StepPolicy:
        return step_policy(decorators, policy_overrides({"a": override})["a"])

    policy = StepPolicy(retries=3, retry_delay=1.0, catch=True, timeout=10.0)
    assert changed(StepOverride()) == policy
    assert changed(StepOverride(retries=0)) == StepPolicy(0, 1.0, True, 10.0)
    assert changed(StepOverride(retry_delay_seconds=2, timeout_seconds=5)) == StepPolicy(3, 2.0, True, 5.0)
