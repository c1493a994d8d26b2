"""What was read off a script before it is known to be a sound graph: its steps as written, problems
included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.graph.types import Decorator
from reflow.values.dataclass import dataclass, field
from reflow.values.errors import FlowError, ReflowError


class Unsettled(ReflowError):
    """The syntax tree alone doesn't settle the graph; running the script in its own image does. Not a user's
    error."""


class DoesNotParse(FlowError):
    """The script is not Python, at least not of the version that reads it here."""


@dataclass(frozen=True, slots=True)
class NextCall:
    """One `self.next(…)` as written. `problem`: what is wrong with its form, else empty; then the rest may be
    missing.

    `is_last`: it is the step's last statement, outside any `if`, `for`, `with` or `try`.
    """

    line: int
    targets: tuple[str, ...] = ()
    foreach: str | None = None
    condition: str | None = None
    cases: tuple[tuple[str, str], ...] = ()
    num_parallel: bool = False
    is_last: bool = True
    problem: str = ""


@dataclass(frozen=True, slots=True)
class StepSource:
    """A step as written. `inputs`: how many arguments it takes besides `self`; a join takes one."""

    name: str
    file: str
    line: int
    inputs: int = 0
    calls: tuple[NextCall, ...] = ()
    doc: str = ""
    decorators: tuple[Decorator, ...] = ()
    is_async: bool = False
    yields: bool = False  # so that calling it runs nothing
    starts: bool = False  # by @step(start=True)
    ends: bool = False  # by @step(end=True)


@dataclass(frozen=True, slots=True)
class ParameterDecl:
    """A parameter that the flow's class declares.

    `kind` is the name of its class (`Parameter`, `IncludeFile`, `Config`), `attribute` the variable that
    holds it. `attributes` are its literal arguments, a type by its name (`"float"`). `deferred` names the
    arguments that only running the script can tell, such as a default that is a function.
    """

    name: str
    attribute: str
    line: int
    kind: str = "Parameter"
    attributes: Mapping[str, Any] = field(default_factory=dict)
    deferred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowSource:
    """A flow as written, its steps in the order of the source (those of inherited classes first)."""

    flow: str
    file: str
    line: int
    steps: tuple[StepSource, ...] = ()
    parameters: tuple[ParameterDecl, ...] = ()
    decorators: tuple[Decorator, ...] = ()
