"""Decorators that flows written for Metaflow carry. Kept in the graph as written; nothing in a task acts on them yet.

One that gets a meaning of its own here moves to its own file.
"""

from __future__ import annotations

from typing import Any

from reflow.sdk.decorators.base import FlowDecorator, StepDecorator


class Lenient:
    """Takes any attribute; what isn't a JSON value (a function, say) is kept by its name."""

    def plain(self, key: str, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self.plain(key, item) for item in value]
        if isinstance(value, dict):
            return {str(name): self.plain(key, item) for name, item in value.items()}
        if value is None or isinstance(value, str | int | float | bool):
            return value
        return getattr(value, "__name__", None) or repr(value)


class Kubernetes(Lenient, StepDecorator):
    """What the step's Pod needs. In a cluster cpu, memory, gpu and image count; the FlowRun may override them."""

    name = "kubernetes"


class Batch(Lenient, StepDecorator):
    """For AWS Batch: its cpu, memory and gpu are read as those of `@resources`."""

    name = "batch"


class Parallel(Lenient, StepDecorator):
    """A step whose tasks are one gang: they all run at once, started by `self.next(…, num_parallel=4)`."""

    name = "parallel"


class Schedule(Lenient, FlowDecorator):
    """When the flow is run."""

    name = "schedule"


class Project(Lenient, FlowDecorator):
    """The project and branch that the flow belongs to."""

    name = "project"


class Trigger(Lenient, FlowDecorator):
    """The event that runs the flow."""

    name = "trigger"


class TriggerOnFinish(Lenient, FlowDecorator):
    """The flow whose end runs this one."""

    name = "trigger_on_finish"


class ExitHook(Lenient, FlowDecorator):
    """Functions that are called when the run has ended. Kept by name."""

    name = "exit_hook"


kubernetes = Kubernetes()
batch = Batch()
parallel = Parallel()
schedule = Schedule()
project = Project()
trigger = Trigger()
trigger_on_finish = TriggerOnFinish()
exit_hook = ExitHook()
