"""Every `self.next(…)` of a step's function, as written."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from reflow.graph.source import NextCall
from reflow.graph.types import PARALLEL

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_OTHER_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def case_text(value: object) -> str:
    """How a switch's value and its cases are compared and stored: as text, `True` as "True", `1` as "1"."""
    return str(value)


def next_calls(function: FunctionNode) -> tuple[NextCall, ...]:
    """The calls of `self.next` in the function itself, not in functions defined within it, in the order of
    lines."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    this = arguments[0].arg if arguments else "self"
    last = function.body[-1]
    tail = last.value if isinstance(last, ast.Expr) else None
    calls = [node for node in _own_nodes(function) if isinstance(node, ast.Call) and _is_next(node, this)]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    return tuple(_parse(call, this, call is tail) for call in calls)


def _own_nodes(function: FunctionNode) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, _OTHER_SCOPES):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _is_next(call: ast.Call, this: str) -> bool:
    return (
        isinstance(call.func, ast.Attribute) and call.func.attr == "next" and _is_name(call.func.value, this)
    )


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


class _BadForm(Exception):
    """Says what is wrong with a `self.next`."""


def _parse(call: ast.Call, this: str, is_last: bool) -> NextCall:
    try:
        foreach, condition, num_parallel = _keywords(call)
        targets, cases = _targets(call, this, condition)
    except _BadForm as problem:
        return NextCall(line=call.lineno, is_last=is_last, problem=str(problem))
    return NextCall(
        line=call.lineno,
        targets=targets,
        foreach=foreach,
        condition=condition,
        cases=cases,
        num_parallel=num_parallel,
        is_last=is_last,
    )


def _keywords(call: ast.Call) -> tuple[str | None, str | None, bool]:
    foreach = condition = None
    num_parallel = False
    for keyword in call.keywords:
        if keyword.arg == "foreach":
            foreach = _variable(keyword)
        elif keyword.arg == "condition":
            condition = _variable(keyword)
        elif keyword.arg == "num_parallel":
            num_parallel = True
        else:
            name = f"{keyword.arg}=" if keyword.arg else "**"
            raise _BadForm(f"self.next takes foreach=, condition= or num_parallel=, not {name}")
    if num_parallel and (foreach is not None or condition is not None):
        raise _BadForm("self.next takes one of foreach=, condition= and num_parallel=")
    if num_parallel:
        foreach = PARALLEL
    if foreach is not None and condition is not None:
        raise _BadForm("self.next takes either foreach= or condition=, not both")
    return foreach, condition, num_parallel


def _variable(keyword: ast.keyword) -> str:
    value = keyword.value
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    raise _BadForm(f"{keyword.arg}= takes the name of an artifact in quotes, such as {keyword.arg}='items'")


def _targets(
    call: ast.Call, this: str, condition: str | None
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    if len(call.args) == 1 and isinstance(call.args[0], ast.Dict):
        if condition is None:
            raise _BadForm("a self.next with a dictionary of cases needs condition='<name of an artifact>'")
        cases = _cases(call.args[0], this)
        return tuple(dict.fromkeys(step for _, step in cases)), cases
    if condition is not None:
        raise _BadForm(
            f"condition= needs a dictionary of cases, such as self.next({{'yes': self.a, 'no': self.b}},"
            f" condition={condition!r})"
        )
    if not call.args:
        raise _BadForm("self.next names no step to go to")
    return tuple(_target(node, this) for node in call.args), ()


def _cases(node: ast.Dict, this: str) -> tuple[tuple[str, str], ...]:
    cases: dict[str, str] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str | int | float | bool)):
            raise _BadForm("the cases of a switch have to be written out as text, numbers, True or False")
        text = case_text(key.value)
        if text in cases:
            raise _BadForm(f"the switch has the case {text} twice")
        cases[text] = _target(value, this)
    return tuple(cases.items())


def _target(node: ast.expr, this: str) -> str:
    if isinstance(node, ast.Attribute) and _is_name(node.value, this):
        return node.attr
    raise _BadForm(f"self.next takes steps written as {this}.<step>")
