"""From a flow's class, in the process that has loaded it, to the flow as written.

The SDK marks a step's function with `__reflow_step__`, and keeps in `__reflow_decorators__` the decorators
put on it, the innermost first. The function's text comes from its file, found by the line that its code
object names: reading one file and its syntax tree is quicker than `inspect`, and a task does it at every
start.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

from reflow.graph.literals import json_value
from reflow.graph.nextcall import FunctionNode
from reflow.graph.script import parse
from reflow.graph.source import FlowSource, StepSource
from reflow.graph.stepsource import step_source
from reflow.graph.types import Decorator
from reflow.values.errors import FlowError

Functions = dict[tuple[str, int], FunctionNode]  # by name and first line, decorators included


def class_source(flow: type) -> FlowSource:
    """The flow that the class is. Raises FlowError where the text of a step can't be found any more."""
    files: dict[str, Functions] = {}
    steps = sorted(_step_functions(flow), key=lambda found: (found[0], _code(found[2]).co_firstlineno))
    sources = tuple(_source(name, function, files) for _, name, function in steps)
    decorators = tuple(
        Decorator(one.name, json_value(one.attributes))
        for one in getattr(flow, "__reflow_flow_decorators__", ())
    )
    file = sources[0].file if sources else _module_file(flow)
    return FlowSource(
        flow.__name__, file, getattr(flow, "__firstlineno__", 1), sources, decorators=decorators
    )


def _module_file(flow: type) -> str:
    """Where a class without steps is written: its module's file, or the module's name."""
    return str(getattr(sys.modules.get(flow.__module__), "__file__", None) or flow.__module__)


def _step_functions(flow: type) -> Iterator[tuple[int, str, Any]]:
    """How deep in the class's ancestry, name and function of each step; inherited ones come first."""
    ancestry = [klass for klass in reversed(flow.__mro__) if klass is not object]
    found: dict[str, tuple[int, str, Any]] = {}
    for depth, klass in enumerate(ancestry):
        for name, value in vars(klass).items():
            found.pop(name, None)
            if getattr(value, "__reflow_step__", False) and hasattr(value, "__name__"):
                found[name] = (depth, name, value)
    yield from found.values()


def _code(function: Any) -> CodeType:
    """The code of the function itself, below whatever wraps it."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        raise FlowError(
            f"Step '{getattr(function, '__name__', function)}' is not a function written in Python."
        )
    return code


def _source(name: str, function: Any, files: dict[str, Functions]) -> StepSource:
    code = _code(function)
    file = code.co_filename
    if file not in files:
        files[file] = _functions(file, function)
    node = files[file].get((code.co_name, code.co_firstlineno))
    if node is None:
        raise FlowError(
            f"The text of step '{name}' isn't there any more: the file has changed since it was loaded. Run"
            " it again.",
            file=file,
            line=code.co_firstlineno,
        )
    decorators = tuple(
        Decorator(decorator.name, json_value(decorator.attributes))
        for decorator in getattr(function, "__reflow_decorators__", ())
    )
    marked = getattr(function, "__reflow_starts__", False), getattr(function, "__reflow_ends__", False)
    source = step_source(node, file, decorators, marked)
    if name == source.name:
        return source
    raise FlowError(
        f"Step '{name}' is written as def {source.name}. Give both the same name.",
        file=file,
        line=node.lineno,
    )


def _functions(file: str, function: Any) -> Functions:
    module = parse(_text(file, function), file)
    found: Functions = {}
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found[node.name, first] = node
    return found


def _text(file: str, function: Any) -> str | bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except OSError:
        import linecache  # asks the module's loader: code in a zip, a notebook's cell

        lines = linecache.getlines(file, getattr(function, "__globals__", None))
        if not lines:
            raise FlowError(
                "The script's file can't be read, and a flow's graph is read from it.", file=file
            ) from None
        return "".join(lines)
