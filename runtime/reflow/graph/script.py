"""From a script's text to its flow as written, by the syntax tree alone: nothing of the script is ever run.

What the tree can't settle raises Unsettled rather than being guessed: then the script has to be run in its
own image.
"""

from __future__ import annotations

import ast
import warnings
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from typing import TypeVar

from reflow.graph.names import Names, read_names, top_level
from reflow.graph.nextcall import FunctionNode
from reflow.graph.parameters import declared_parameters
from reflow.graph.source import DoesNotParse, FlowSource, ParameterDecl, StepSource, Unsettled
from reflow.graph.stepsource import flow_decorators, is_step, marks, step_source, written_decorators
from reflow.values.errors import FlowError

MAX_SOURCE = 128 * 1024  # bytes, as much as an inline flow in a FlowRun may have
MAX_NODES = 200_000

_STEPLESS_BASES = frozenset({"object", "ABC", "abc.ABC"})
_T = TypeVar("_T")
# Python 3.11 can't make two syntax trees at once: its threads share one count of how deep they are in theirs, and it
# raises SystemError where that doesn't add up. Warnings are filtered for all threads alike, too.
_one_at_a_time = allocate_lock()


def read_source(text: str, file: str) -> FlowSource:
    """The script's one flow as written.

    Raises FlowError where it has none, DoesNotParse where it isn't Python, Unsettled where the tree doesn't
    tell.
    """
    if len(text.encode(errors="surrogatepass")) > MAX_SOURCE:
        raise Unsettled(f"{file} is larger than {MAX_SOURCE // 1024} KiB.")
    return _within_limits(lambda: _read(text, file), file)


def parse(text: str | bytes, file: str) -> ast.Module:
    """The script's syntax tree; from any thread. Raises DoesNotParse."""
    try:
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # about the user's text, which Python tells where the script is run
            return ast.parse(text, file)
    except SyntaxError as error:
        raise DoesNotParse(f"This is not valid Python: {error.msg}.", file=file, line=error.lineno) from None
    except ValueError as error:
        raise DoesNotParse(f"This is not valid Python: {error}.", file=file) from None


def _within_limits(read: Callable[[], _T], file: str) -> _T:
    try:
        return read()
    except (RecursionError, MemoryError):
        raise Unsettled(f"{file} is nested too deeply to be read without running it.") from None


def _read(text: str, file: str) -> FlowSource:
    module = parse(text, file)
    if sum(1 for _ in ast.walk(module)) > MAX_NODES:
        raise Unsettled(f"{file} is too large to be read without running it.")
    names = read_names(module)
    classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
    _refuse_hidden_classes(module, names)
    flow = _chosen(module, classes, names, file)
    _refuse_patches(module, flow.name)
    lineage = [classes[name] for name in reversed(_lineage(flow.name, classes, names))]
    for node in lineage:
        _refuse_dynamic_body(node, names)
    return FlowSource(
        flow.name,
        file,
        flow.lineno,
        _steps(lineage, file, names),
        _parameters(lineage, names),
        flow_decorators(lineage, names),
    )


# Which class


def _flow_classes(classes: dict[str, ast.ClassDef], names: Names) -> set[str]:
    """Those that derive from FlowSpec, directly or through other classes of the script."""
    found: set[str] = set()
    for name in classes:
        waiting, seen = [name], {name}
        while waiting:
            for base in classes[waiting.pop()].bases:
                if names.resolve(base) == "FlowSpec":
                    found.add(name)
                elif isinstance(base, ast.Name) and base.id in classes and base.id not in seen:
                    seen.add(base.id)
                    waiting.append(base.id)
    return found


def _chosen(module: ast.Module, classes: dict[str, ast.ClassDef], names: Names, file: str) -> ast.ClassDef:
    flows = _flow_classes(classes, names)
    called = {
        node.func.id
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    started = called & flows
    if len(started) == 1:
        return classes[started.pop()]
    if len(flows) == 1 and not started:
        return classes[flows.pop()]
    if flows:
        raise Unsettled(
            f"{file} has several flow classes ({', '.join(sorted(flows))}), and which one it runs isn't"
            " plain."
        )
    elsewhere = sorted(name for name in called if names.imported_from(name) and name[:1].isupper())
    if elsewhere or names.other_star or _has_foreign_bases(classes, names):
        raise Unsettled(f"{file} takes its flow class, or that one's base, from another module.")
    raise FlowError(
        "This is not a flow: it has no class that derives from FlowSpec. A flow starts with"
        " `from reflow import FlowSpec, step` and a class such as `class MyFlow(FlowSpec):`.",
        file=file,
    )


def _has_foreign_bases(classes: dict[str, ast.ClassDef], names: Names) -> bool:
    """Whether some class has a base that might be a flow class of another module."""
    bases = [base for node in classes.values() for base in node.bases]
    return any(isinstance(base, ast.Name) and names.imported_from(base.id) for base in bases) or any(
        isinstance(base, ast.Attribute) and names.resolve(base) is None for base in bases
    )


def _lineage(name: str, classes: dict[str, ast.ClassDef], names: Names) -> list[str]:
    """The class and those of its bases that are in the script, in the order in which Python looks attributes
    up."""
    own = [base for base in classes[name].bases if _is_own_base(base, name, classes, names)]
    bases = [base.id for base in own if isinstance(base, ast.Name)]
    orders = [_lineage(base, classes, names) for base in bases]
    return [name, *_merged([*orders, bases], name)]


def _is_own_base(base: ast.expr, name: str, classes: dict[str, ast.ClassDef], names: Names) -> bool:
    if isinstance(base, ast.Name) and base.id in classes:
        return True
    if names.resolve(base) == "FlowSpec" or ast.unparse(base) in _STEPLESS_BASES:
        return False
    raise Unsettled(
        f"line {base.lineno}: the base {ast.unparse(base)} of the class {name} comes from another module."
    )


def _merged(orders: list[list[str]], name: str) -> list[str]:
    merged: list[str] = []
    while orders := [order for order in orders if order]:
        heads = [order[0] for order in orders]
        head = next((head for head in heads if not any(head in order[1:] for order in orders)), None)
        if head is None:
            raise Unsettled(f"The bases of the class {name} have no consistent order.")
        merged.append(head)
        orders = [[other for other in order if other != head] for order in orders]
    return merged


# Its body


def _functions(node: ast.ClassDef) -> Iterator[FunctionNode]:
    yield from (part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))


def _steps(lineage: list[ast.ClassDef], file: str, names: Names) -> tuple[StepSource, ...]:
    """Steps by name, a later definition replacing an earlier one, in the order of the definitions that
    count."""
    found: dict[str, FunctionNode] = {}
    for node in lineage:
        for function in _functions(node):
            found.pop(function.name, None)
            found[function.name] = function
    return tuple(
        step_source(function, file, written_decorators(function, file, names), marks(function, names))
        for function in found.values()
        if is_step(function, names)
    )


def _parameters(lineage: list[ast.ClassDef], names: Names) -> tuple[ParameterDecl, ...]:
    declared = [declaration for node in lineage for declaration in declared_parameters(node.body, names)]
    return tuple({declaration.attribute: declaration for declaration in declared}.values())


# What makes a flow in ways that the tree doesn't show


def _refuse_hidden_classes(module: ast.Module, names: Names) -> None:
    for statement in top_level(module.body):
        if isinstance(statement, ast.ClassDef) and statement not in module.body and statement.bases:
            bases = [names.resolve(base) for base in statement.bases]
            if "FlowSpec" in bases:
                raise Unsettled(
                    f"line {statement.lineno}: the class {statement.name} is made within another statement."
                )


def _refuse_patches(module: ast.Module, flow: str) -> None:
    """Top-level code that changes the class after its definition: `setattr(Flow, …)`, `Flow.x = …`."""
    for statement in top_level(module.body):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for node in ast.walk(statement):
            patched = (
                isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is(node.value, flow)
            )
            by_call = (
                isinstance(node, ast.Call)
                and _is(node.func, "setattr")
                and node.args
                and _is(node.args[0], flow)
            )
            if patched or by_call:
                raise Unsettled(f"line {statement.lineno}: the class {flow} is changed after its definition.")


def _refuse_dynamic_body(node: ast.ClassDef, names: Names) -> None:
    if node.keywords:
        raise Unsettled(f"line {node.lineno}: the class {node.name} has a metaclass or other keywords.")
    for decorator in node.decorator_list:
        if names.resolve(decorator.func if isinstance(decorator, ast.Call) else decorator) is None:
            raise Unsettled(
                f"line {decorator.lineno}: a decorator of the class {node.name} isn't one of Reflow's."
            )
    for part in node.body:
        if _is_dynamic(part, names):
            raise Unsettled(f"line {part.lineno}: the class {node.name} makes its steps by running code.")


def _is_dynamic(part: ast.stmt, names: Names) -> bool:
    if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    for inner in ast.walk(part):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            return True
        if isinstance(inner, ast.Call) and (
            names.resolve(inner.func) == "step"
            or any(_is(inner.func, word) for word in ("exec", "eval", "vars", "locals"))
        ):
            return True
    return False


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
