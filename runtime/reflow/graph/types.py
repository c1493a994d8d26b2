"""The graph as typed values. What the engine, the manifest and `show` read; built in `graph.build`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from reflow.values.dataclass import dataclass, field

PARALLEL = (
    "num_parallel"  # the variable of a foreach whose tasks are one gang: `self.next(…, num_parallel=4)`
)


class Kind(StrEnum):
    """The kind of a step's transition, that is of its `self.next(…)`."""

    LINEAR = "linear"
    SPLIT = "split"
    FOREACH = "foreach"
    SWITCH = "switch"
    END = "end"


@dataclass(frozen=True, slots=True)
class Decorator:
    """A decorator as written: `@retry(times=3)` is `Decorator("retry", {"times": 3})`. Attributes are JSON
    values."""

    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow.

    `targets` are the steps that `self.next` names, in its order. `foreach` is the name of the variable
    iterated over, `condition` that of the variable which a switch reads, `cases` its values (as text) with
    the step of each.
    """

    name: str
    kind: Kind
    targets: tuple[str, ...] = ()
    foreach: str | None = None
    condition: str | None = None
    cases: tuple[tuple[str, str], ...] = ()
    is_join: bool = False
    line: int = 0
    doc: str = ""
    decorators: tuple[Decorator, ...] = ()
    # Derived in graph.build:
    foreach_scope: tuple[str, ...] = ()  # the foreach steps around this one, outermost first
    loop_scope: tuple[str, ...] = ()  # the headers of the loops around this one, outermost first
    joins: str | None = None  # for a join: the split or foreach step that it closes


@dataclass(frozen=True)
class Graph:
    """A flow's steps by name, in the order of the source. A sound one has a first step and a last."""

    flow: str
    steps: Mapping[str, Step]
    decorators: tuple[Decorator, ...] = ()  # of the flow's class, the outermost first

    @cached_property
    def start(self) -> str:
        """The name of the first step."""
        from reflow.graph.ends import first_of

        return first_of(self.steps)

    @cached_property
    def end(self) -> str:
        """The name of the last step."""
        return next(step.name for step in self.steps.values() if step.kind is Kind.END)

    @cached_property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """For each step, the steps that go to it, in the order of the source."""
        found: dict[str, list[str]] = {name: [] for name in self.steps}
        for step in self.steps.values():
            for target in dict.fromkeys(step.targets):
                found[target].append(step.name)
        return {name: tuple(names) for name, names in found.items()}
