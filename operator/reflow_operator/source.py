"""What a FlowRun's code says of itself without being run: its graph, its parameters, whether it speaks
Metaflow's names.

Pure, and safe on hostile text: the syntax tree only, within limits.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reflow.graph.build import Unsettled, from_text
from reflow.graph.digest import digest
from reflow.graph.script import parse
from reflow.graph.source import ParameterDecl
from reflow.graph.types import Graph
from reflow.sdk.parameters import JSONType, Parameter
from reflow.values.errors import FlowError, ReflowError
from reflow_operator.constants import Reason
from reflow_operator.held import Refused

_TYPES: Mapping[str, Any] = {"str": str, "int": int, "float": float, "bool": bool, "JSONType": JSONType}


@dataclass(frozen=True, slots=True)
class Source:
    """`values`: the run's parameters, all of them. `alias`: the script imports from metaflow."""

    graph: Graph
    digest: str
    values: Mapping[str, Any]
    alias: bool
    configs: Mapping[str, Any] = field(default_factory=dict)


def read_code(
    text: str, script: str, flow: str, given: Mapping[str, Any], *, resumed: bool = False
) -> Source:
    """Raises Refused where the code can't run, Unsettled where only running it tells. `resumed`: the
    parameters are another run's."""
    try:
        built = from_text(text, script)
    except FlowError as error:
        raise Refused(Reason.INVALID_CODE, str(error)) from error
    check_flow(built.graph, flow, script)
    values = {} if resumed else parameter_values(built.parameters, given)
    return Source(built.graph, digest(built.graph), values, speaks_metaflow(text))


def check_flow(graph: Graph, flow: str, script: str) -> None:
    """Raises Refused where the script has another flow than the FlowRun says."""
    if graph.flow != flow:
        raise Refused(
            Reason.INVALID_CODE,
            f"spec.flow is {flow}, but the flow in {script} is called {graph.flow}. Name the same one.",
        )


def parameter_values(declared: tuple[ParameterDecl, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters' values. Raises Refused, or Unsettled where a default is known only by running the
    script."""
    names = [declaration.name for declaration in declared]
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise Refused(
            Reason.INVALID_PARAMETERS,
            f"The flow has no parameter {unknown[0]!r}; its parameters are:"
            f" {', '.join(names) or 'none at all'}.",
        )
    return {declaration.name: _value(declaration, given.get(declaration.name)) for declaration in declared}


def speaks_metaflow(text: str) -> bool:
    """Whether the script imports `metaflow`, which then means Reflow."""
    for node in ast.walk(parse(text, "flow.py")):
        if isinstance(node, ast.Import) and any(_is_metaflow(alias.name) for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.level == 0 and _is_metaflow(node.module or ""):
            return True
    return False


def _is_metaflow(module: str) -> bool:
    return module.partition(".")[0] == "metaflow"


def _value(declaration: ParameterDecl, given: Any) -> Any:
    if declaration.kind != "Parameter":
        raise Unsettled(f"the {declaration.kind} {declaration.name} is known only by running the script")
    needed = {"type"} if given is not None else {"type", "default", "required"}
    deferred = needed & set(declaration.deferred)
    if deferred:
        raise Unsettled(
            f"the {sorted(deferred)[0]} of the parameter {declaration.name} is known only by running it"
        )
    try:
        parameter = _parameter(declaration)
        if given is not None:
            return parameter.check(given)
        if parameter.default is None and parameter.required:
            raise Refused(
                Reason.INVALID_PARAMETERS,
                f"The parameter {parameter.name} is required: set it in spec.parameters.{parameter.name}.",
            )
        return parameter.check(parameter.default)
    except ReflowError as error:
        words = str(error).replace(f"--{declaration.name}", f"spec.parameters.{declaration.name}")
        raise Refused(Reason.INVALID_PARAMETERS, words) from error


def _parameter(declaration: ParameterDecl) -> Parameter:
    attributes = dict(declaration.attributes)
    kind = attributes.pop("type", None)
    if kind is not None and kind not in _TYPES:
        raise Unsettled(f"the type of the parameter {declaration.name} is known only by running the script")
    return Parameter(declaration.name, type=_TYPES.get(kind) if kind else None, **attributes)
