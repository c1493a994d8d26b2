"""The parameters that a flow's class declares, as far as the syntax tree tells."""

from __future__ import annotations

import ast
from typing import Any

from reflow.graph.literals import NotLiteral, literal
from reflow.graph.names import Names
from reflow.graph.source import ParameterDecl, Unsettled

_KINDS = frozenset({"Parameter", "IncludeFile", "Config"})
_BUILTIN_TYPES = frozenset({"str", "int", "float", "bool"})
_POSITIONAL = ("name", "default")


def declared_parameters(body: list[ast.stmt], names: Names) -> tuple[ParameterDecl, ...]:
    """Those assigned in a class body. Raises Unsettled where a parameter's own name isn't written out."""
    found = []
    for statement in body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Call):
            kind = names.resolve(statement.value.func)
            if kind in _KINDS:
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                attribute = next((target.id for target in targets if isinstance(target, ast.Name)), "")
                found.append(_declaration(statement.value, kind, attribute, names))
    return tuple(found)


def _declaration(call: ast.Call, kind: str, attribute: str, names: Names) -> ParameterDecl:
    attributes: dict[str, Any] = {}
    deferred = []
    given = [
        *zip(_POSITIONAL, call.args, strict=False),
        *((word.arg or "**", word.value) for word in call.keywords),
    ]
    for name, value in given:
        try:
            attributes[name] = _type_name(value, names) if name == "type" else literal(value)
        except NotLiteral:
            deferred.append(name)
    own_name = attributes.pop("name", None)
    if not isinstance(own_name, str) or len(call.args) > len(_POSITIONAL) or "**" in deferred:
        raise Unsettled(f"line {call.lineno}: this {kind} is known only by running the script.")
    return ParameterDecl(own_name, attribute, call.lineno, kind, attributes, tuple(deferred))


def _type_name(value: ast.expr, names: Names) -> str:
    if isinstance(value, ast.Name) and value.id in _BUILTIN_TYPES and value.id not in names.other:
        return value.id
    name = names.resolve(value)
    if name is None:
        raise NotLiteral
    return name
