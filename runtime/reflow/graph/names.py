"""What the names at a script's top level mean: which of them are Reflow's (or, under the import alias,
Metaflow's)."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from reflow.values.dataclass import dataclass, field

LIBRARIES = frozenset({"reflow", "metaflow"})


@dataclass
class Names:
    """`library`: local name → what it is called in the library, `""` for a module. `other`: every other
    binding."""

    library: dict[str, str] = field(default_factory=dict)
    other: dict[str, str] = field(
        default_factory=dict
    )  # local name → where it comes from, "" if made in the script
    library_star: bool = False
    other_star: bool = False

    def resolve(self, node: ast.expr) -> str | None:
        """The library's name for `step`, `metaflow.step`, `mf.step`, or an alias of it; None for anything
        else."""
        if isinstance(node, ast.Attribute):
            root: ast.expr = node
            while isinstance(root, ast.Attribute):
                root = root.value
            return node.attr if isinstance(root, ast.Name) and self._is_library(root.id) else None
        if isinstance(node, ast.Name):
            return self._resolve_name(node.id)
        return None

    def _is_library(self, name: str) -> bool:
        return name in self.library and name not in self.other

    def _resolve_name(self, name: str) -> str | None:
        if self._is_library(name):
            return self.library[name] or None
        known = name in self.other or hasattr(builtins, name)
        return name if self.library_star and not self.other_star and not known else None

    def imported_from(self, name: str) -> str:
        """The module that a name was imported from; empty where it is the script's own, or unknown."""
        return self.other.get(name, "")


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the script is imported: those of the top level, and within its `if`, `try`,
    `with`."""
    waiting = list(reversed(body))
    while waiting:
        statement = waiting.pop()
        yield statement
        inner: list[ast.stmt] = []
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner += getattr(statement, name, [])
        for handler in getattr(statement, "handlers", []):
            inner += handler.body
        waiting.extend(reversed(inner))


def read_names(module: ast.Module) -> Names:
    """Bindings of the module's top level. A name that is bound both by the library and otherwise counts as
    other."""
    names = Names()
    for statement in top_level(module.body):
        if isinstance(statement, ast.Import):
            _import(statement, names)
        elif isinstance(statement, ast.ImportFrom):
            _import_from(statement, names)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.other[statement.name] = ""
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names.other.update(
                {node.id: "" for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
            )
    return names


def _import(statement: ast.Import, names: Names) -> None:
    for alias in statement.names:
        local = alias.asname or alias.name.partition(".")[0]
        if alias.name.partition(".")[0] in LIBRARIES:
            names.library[local] = ""
        else:
            names.other[local] = alias.name


def _import_from(statement: ast.ImportFrom, names: Names) -> None:
    is_library = statement.level == 0 and (statement.module or "").partition(".")[0] in LIBRARIES
    for alias in statement.names:
        local = alias.asname or alias.name
        if alias.name == "*":
            names.library_star |= is_library
            names.other_star |= not is_library
        elif is_library:
            names.library[local] = alias.name
        else:
            names.other[local] = "." * statement.level + (statement.module or "")
