"""How each step is treated when it fails: its decorators, and what the run overrides of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.graph.types import Decorator, Graph
from reflow.values.errors import FlowError
from reflow.values.policy import StepPolicy

DEFAULT_RETRIES = 3
DEFAULT_MINUTES_BETWEEN = 2.0

Overrides = Mapping[str, Any]
"""What a run sets for a step: `retries` (count), `retry_delay` and `timeout` (seconds), `catch` (bool).
Others are ignored."""


def step_policy(decorators: tuple[Decorator, ...], overrides: Overrides | None = None) -> StepPolicy:
    """The policy of a step with these decorators. Raises FlowError (without a place) for a value that makes
    no sense."""
    by_name = {decorator.name: decorator.attributes for decorator in decorators}
    retries, delay = _retry(by_name.get("retry"))
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    return StepPolicy(
        retries=int(_number(given, "retries", "retries", retries)),
        retry_delay=_number(given, "retry_delay", "retry_delay", delay),
        catch=bool(given.get("catch", "catch" in by_name)),
        timeout=_number(given, "timeout", "timeout", 0.0) or _timeout(by_name.get("timeout")),
    )


def policies_of(graph: Graph, overrides: Mapping[str, Overrides] | None = None) -> dict[str, StepPolicy]:
    """The policy of every step. Raises FlowError with the step's line, or for an override of an unknown
    step."""
    overrides = overrides or {}
    for name in overrides:
        if name not in graph.steps:
            raise FlowError(
                f"The flow has no step '{name}' to set anything for; it has {', '.join(graph.steps)}."
            )
    found = {}
    for name, step in graph.steps.items():
        try:
            found[name] = step_policy(step.decorators, overrides.get(name))
        except FlowError as error:
            raise FlowError(f"Step '{name}': {error.reason}", line=step.line or None) from None
    return found


def _retry(attributes: Mapping[str, Any] | None) -> tuple[int, float]:
    if attributes is None:
        return 0, 0.0
    minutes = _number(attributes, "minutes_between_retries", "@retry", DEFAULT_MINUTES_BETWEEN)
    return int(_number(attributes, "times", "@retry", DEFAULT_RETRIES)), 60.0 * minutes


def _timeout(attributes: Mapping[str, Any] | None) -> float | None:
    if attributes is None:
        return None
    units = (("seconds", 1), ("minutes", 60), ("hours", 3600))
    total = sum(factor * _number(attributes, unit, "@timeout", 0.0) for unit, factor in units)
    if total == 0:
        raise FlowError("@timeout needs seconds=, minutes= or hours= greater than 0.")
    return total


def _number(attributes: Mapping[str, Any], name: str, where: str, default: float) -> float:
    """A number from 0 on; text that reads as one counts, as the command line's `--with retry:times=3` gives
    it."""
    value = attributes.get(name, default)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < 1e9:
        raise FlowError(f"{where} needs a number from 0 on for {name}, not {value!r}.")
    return number
