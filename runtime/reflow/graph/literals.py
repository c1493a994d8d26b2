"""Values that a syntax tree spells out: attributes of decorators and parameters, as JSON values."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_MAGNITUDE = 1e15  # larger results of arithmetic are nobody's memory or seconds


class NotLiteral(Exception):
    """The expression's value is known only by running it."""


def literal(node: ast.expr) -> Any:
    """The JSON value of an expression such as `3`, `-1`, `60 * 5`, `"x"`, `[1, 2]`, `{"a": None}`. Raises
    NotLiteral."""
    try:
        return json_value(_evaluate(node))
    except (RecursionError, ZeroDivisionError, TypeError, ValueError, OverflowError) as error:
        raise NotLiteral from error


def _evaluate(node: ast.expr) -> Any:
    if isinstance(node, ast.BinOp):
        return _arithmetic(node)
    if isinstance(node, ast.List | ast.Tuple):
        return [_evaluate(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        keys = [_evaluate(key) if key is not None else _not_literal() for key in node.keys]
        return dict(zip(keys, map(_evaluate, node.values), strict=True))
    return ast.literal_eval(node)


def _arithmetic(node: ast.BinOp) -> Any:
    left, right = _evaluate(node.left), _evaluate(node.right)
    apply = _ARITHMETIC.get(type(node.op))
    if apply is None or not all(
        type(side) in (int, float) and abs(side) < _MAGNITUDE for side in (left, right)
    ):
        raise NotLiteral
    return apply(left, right)


def _not_literal() -> Any:
    raise NotLiteral


def json_value(value: Any) -> Any:
    """The value as JSON has it: tuples become lists, sets sorted lists, what JSON can't hold its `repr`."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((json_value(item) for item in value), key=repr)
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    return repr(value)
