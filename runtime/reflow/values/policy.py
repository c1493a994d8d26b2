"""How a step is treated when it fails, as the engine needs it."""

from __future__ import annotations

from reflow.values.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class StepPolicy:
    """`retries`: how many more attempts after the first; `retry_delay`: seconds between an attempt's end and the
    next; `catch`: a last failure is followed by a fallback attempt, which finishes the task without a result;
    `timeout`: seconds that an attempt may take, or None."""

    retries: int = 0
    retry_delay: float = 0.0
    catch: bool = False
    timeout: float | None = None


DEFAULT_POLICY = StepPolicy()
