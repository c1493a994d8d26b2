"""`@resources`: what a step's Pod asks for. Without meaning on a laptop."""

from __future__ import annotations

from reflow.sdk.decorators.base import StepDecorator


class Resources(StepDecorator):
    """`cpu`: cores. `memory` and `disk`, `shared_memory`: in MB. `gpu`: how many."""

    name = "resources"
    attributes = frozenset({"cpu", "gpu", "memory", "disk", "shared_memory"})


resources = Resources()
