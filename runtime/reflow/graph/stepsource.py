"""A step as written, from the syntax tree of its function."""

from __future__ import annotations

import ast
from typing import Any

from reflow.graph.literals import NotLiteral, literal
from reflow.graph.names import Names
from reflow.graph.nextcall import FunctionNode, next_calls
from reflow.graph.source import NextCall, StepSource, Unsettled
from reflow.graph.types import Decorator, Kind, Step
from reflow.values.errors import FlowError


def step_source(
    node: FunctionNode,
    file: str,
    decorators: tuple[Decorator, ...],
    marked: tuple[bool, bool] = (False, False),
) -> StepSource:
    """The step that the function is, its decorators being known already. `marked`: as the first, as the last."""
    arguments = [*node.args.posonlyargs, *node.args.args]
    more = len(node.args.kwonlyargs) + (node.args.vararg is not None) + (node.args.kwarg is not None)
    return StepSource(
        name=node.name,
        file=file,
        line=node.lineno,
        # Other than plain arguments can't be a join's `inputs`: counted as too many, which lint explains.
        inputs=len(arguments) - 1 + (2 if more else 0),
        calls=next_calls(node),
        doc=ast.get_docstring(node) or "",
        decorators=decorators,
        is_async=isinstance(node, ast.AsyncFunctionDef),
        yields=_yields(node),
        starts=marked[0],
        ends=marked[1],
    )


def _yields(node: FunctionNode) -> bool:
    """Whether the function itself has a `yield`, those of functions within it aside."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        found = waiting.pop()
        if isinstance(found, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(found))
    return False


def is_step(node: FunctionNode, names: Names) -> bool:
    """Whether the function has the library's `@step` among its decorators."""
    return any(names.resolve(_called(decorator)) == "step" for decorator in node.decorator_list)


def marks(node: FunctionNode, names: Names) -> tuple[bool, bool]:
    """Whether `@step(start=True)`, and `@step(end=True)`. Raises Unsettled where the tree can't tell."""
    found = {"start": False, "end": False}
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call) or names.resolve(decorator.func) != "step":
            continue
        for keyword in decorator.keywords:
            if keyword.arg in found and isinstance(keyword.value, ast.Constant):
                found[keyword.arg] = bool(keyword.value.value)
            elif keyword.arg != "node_info":
                raise Unsettled(
                    f"line {decorator.lineno}: what @step is given is known only by running the script."
                )
    return found["start"], found["end"]


def _called(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def written_decorators(node: FunctionNode, file: str, names: Names) -> tuple[Decorator, ...]:
    """The step's decorators without `@step`, the innermost first.

    Raises Unsettled where the tree can't tell them, FlowError where one is below `@step`.
    """
    above, below = [], False
    for expression in node.decorator_list:
        if names.resolve(_called(expression)) == "step":
            below = True
        elif below:
            raise FlowError(
                f"Step '{node.name}' has a decorator below @step. Put @step right above the"
                " def, the others above it.",
                file=file,
                line=expression.lineno,
            )
        else:
            above.append(_decorator(expression, node, names))
    return tuple(reversed(above))


def _decorator(expression: ast.expr, node: FunctionNode, names: Names) -> Decorator:
    call = expression if isinstance(expression, ast.Call) else None
    name = names.resolve(call.func if call else expression)
    where = f"line {expression.lineno}: the decorator of the step '{node.name}'"
    if name is None:
        raise Unsettled(
            f"{where} isn't one of Reflow's, so what it does is known only by running the script."
        )
    if call is None:
        return Decorator(name)
    if call.args or any(keyword.arg is None for keyword in call.keywords):
        raise Unsettled(f"{where}, @{name}, has arguments that aren't written as name=value.")
    attributes = {}
    for keyword in call.keywords:
        try:
            attributes[str(keyword.arg)] = literal(keyword.value)
        except NotLiteral:
            raise Unsettled(
                f"{where}, @{name}, has a value for {keyword.arg}= that is known only by running the script."
            ) from None
    return Decorator(name, attributes)


def flow_decorators(lineage: list[ast.ClassDef], names: Names) -> tuple[Decorator, ...]:
    """The decorators of the flow's class and of those that it inherits from, the outermost first.

    Raises Unsettled where the tree can't tell them.
    """
    return tuple(
        _flow_decorator(expression, names) for node in reversed(lineage) for expression in node.decorator_list
    )


def _flow_decorator(expression: ast.expr, names: Names) -> Decorator:
    call = expression if isinstance(expression, ast.Call) else None
    name = names.resolve(call.func if call else expression)
    if name is None or (call and (call.args or any(keyword.arg is None for keyword in call.keywords))):
        raise Unsettled(f"line {expression.lineno}: this decorator is known only by running the script.")
    try:
        attributes = {str(it.arg): _flow_attribute(it.value) for it in call.keywords} if call else {}
    except NotLiteral:
        raise Unsettled(
            f"line {expression.lineno}: what @{name} is given is known only by running the script."
        ) from None
    return Decorator(name, attributes)


def _flow_attribute(value: ast.expr) -> Any:
    """A function stands for itself by its name, as in `@exit_hook(on_success=[told])`."""
    if isinstance(value, ast.List | ast.Tuple) and any(isinstance(item, ast.Name) for item in value.elts):
        return [_flow_attribute(item) for item in value.elts]
    return value.id if isinstance(value, ast.Name) else literal(value)


def plain_step(source: StepSource) -> Step:
    """The step without what is derived from the whole graph. The step alone has to be sound."""
    call = source.calls[0] if source.calls else None
    return Step(
        name=source.name,
        kind=_kind(call),
        targets=call.targets if call else (),
        foreach=call.foreach if call else None,
        condition=call.condition if call else None,
        cases=call.cases if call else (),
        is_join=source.inputs == 1,
        line=source.line,
        doc=source.doc,
        decorators=source.decorators,
    )


def _kind(call: NextCall | None) -> Kind:
    if call is None:
        return Kind.END
    if call.foreach is not None:
        return Kind.FOREACH
    if call.condition is not None:
        return Kind.SWITCH
    return Kind.SPLIT if len(call.targets) > 1 else Kind.LINEAR
