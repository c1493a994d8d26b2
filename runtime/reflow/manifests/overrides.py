"""How a Resume's spec changes its origin's, and a step's override its policy. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from reflow.graph.policy import Overrides
from reflow.manifests.types import FlowRunSpec, ResumeFrom, ResumeSpec, StepOverride
from reflow.values.dataclass import fields, replace


def resumed(origin: FlowRunSpec, resume: ResumeSpec, run_id: str) -> FlowRunSpec:
    """The FlowRun that a Resume stands for: what the Resume sets, the origin's otherwise.

    `run_id` is the run that the origin's name stands for now. The values of parameters aren't copied: they
    are read from that run, as is all else that it finished. A step's override is laid over the origin's
    field by field.
    """
    return FlowRunSpec(
        flow=origin.flow,
        code=resume.code if resume.code is not None else origin.code,
        image=resume.image if resume.image is not None else origin.image,
        max_workers=resume.max_workers if resume.max_workers is not None else origin.max_workers,
        pod_template=resume.pod_template if resume.pod_template is not None else origin.pod_template,
        steps=_laid_over(origin.steps, resume.steps),
        suspend=resume.suspend,
        cancel=resume.cancel,
        active_deadline_seconds=_first(resume.active_deadline_seconds, origin.active_deadline_seconds),
        ttl_seconds_after_finished=_first(
            resume.ttl_seconds_after_finished, origin.ttl_seconds_after_finished
        ),
        store=resume.store if resume.store is not None else origin.store,
        resume_from=ResumeFrom(run_id=run_id, from_step=resume.from_step),
    )


def policy_overrides(steps: Mapping[str, StepOverride]) -> dict[str, Overrides]:
    """What a manifest sets for its steps, as `graph.policy.policies_of` takes it."""
    return {
        name: {
            "retries": step.retries,
            "retry_delay": step.retry_delay_seconds,
            "timeout": step.timeout_seconds,
        }
        for name, step in steps.items()
    }


def _laid_over(
    below: Mapping[str, StepOverride], above: Mapping[str, StepOverride]
) -> dict[str, StepOverride]:
    merged = dict(below)
    for name, override in above.items():
        values = {field.name: getattr(override, field.name) for field in fields(override)}
        changes = {field: value for field, value in values.items() if value is not None}
        merged[name] = replace(merged.get(name, StepOverride()), **changes)
    return merged


def _first(above: int | None, below: int | None) -> int | None:
    return above if above is not None else below
