"""`@retry`: try a failed step again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.sdk.decorators.base import StepDecorator
from reflow.values.errors import FlowError


class Retry(StepDecorator):
    """`times`: how many more attempts (default 3). `minutes_between_retries`: the wait before each (default 2)."""

    name = "retry"
    attributes = frozenset({"times", "minutes_between_retries"})

    def check(self, attributes: Mapping[str, Any]) -> None:
        for key, value in attributes.items():
            try:
                bad = float(value) < 0
            except (TypeError, ValueError):
                bad = True
            if bad:
                raise FlowError(f"@retry({key}={value!r}): this is a number, zero or more.")


retry = Retry()
