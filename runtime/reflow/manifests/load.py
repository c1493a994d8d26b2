"""YAML and JSON files → objects, read the way `kubectl` reads them.

PyYAML differs from kubectl where it matters to parameters: it takes `1e-3` for text, `2026-11-22` for a date,
`1:30` for ninety, `y` for text, and lets the last of two equal keys win. Here they are a number, text, text,
true, and an error, so that a manifest means the same on the laptop and in the cluster.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from reflow.values.dataclass import dataclass
from reflow.values.errors import UsageError

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Document:
    """An object of a file. `source`: the file as it was named; `line`: its first, from 1."""

    object: dict[str, Any]
    source: str
    line: int

    @property
    def where(self) -> str:
        """What messages call the document: its file and line, and its kind and name where it has them."""
        kind, metadata = self.object.get("kind"), self.object.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        what = f" ({kind} {name})" if kind and name else f" ({kind})" if kind else ""
        return f"{self.source}:{self.line}{what}"


def load(source: str) -> list[Document]:
    """The objects in a file, or on standard input where `source` is `-`; those of a `List` one by one.

    Raises UsageError where the file can't be read, isn't YAML or JSON, or holds something else than objects.
    """
    if source == STDIN:
        return load_text(sys.stdin.read(), "standard input")
    try:
        text = Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{source}: the file can't be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{source}: the file is not text in UTF-8.") from None
    return load_text(text, source)


def load_text(text: str, source: str) -> list[Document]:
    """Like `load`, from text. `source` is the name that messages give it."""
    found = []
    try:
        for node, value in _documents(text):
            line = node.start_mark.line + 1
            if value is None:
                continue
            if not isinstance(value, dict):
                raise UsageError(
                    f"{source}:{line}: a manifest is an object with apiVersion, kind, metadata and spec."
                )
            found += _unfolded(Document(value, source, line))
    except yaml.YAMLError as error:
        raise UsageError(_sentence(error, source)) from None
    if not found:
        raise UsageError(f"{source}: there is no manifest in it.")
    return found


def _unfolded(document: Document) -> list[Document]:
    items = document.object.get("items")
    if document.object.get("kind") != "List" or not isinstance(items, list):
        return [document]
    if not all(isinstance(item, dict) for item in items):
        raise UsageError(f"{document.where}: every entry of items must be an object.")
    return [Document(item, document.source, document.line) for item in items]


def _documents(text: str) -> Iterator[tuple[yaml.Node, Any]]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                yield node, loader.construct_document(node)
    finally:
        loader.dispose()


def _sentence(error: yaml.YAMLError, source: str) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"{source}: it is not YAML: {error}"
    mark = error.problem_mark or error.context_mark
    at = f"{source}:{mark.line + 1}" if mark else source
    return f"{at}: it is not YAML: {error.problem or error.context}."


class _Loader(yaml.SafeLoader):
    """The safe loader with kubectl's scalars, and equal keys refused."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        # Before merge keys (`<<`) are laid under, since those may be overridden.
        _refuse_equal_keys(node)
        super().flatten_mapping(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        self.flatten_mapping(node)
        return {self._key(key): self.construct_object(value, deep=True) for key, value in node.value}

    def _key(self, node: yaml.Node) -> str:
        # JSON has text for keys only.
        key = self.construct_object(node, deep=True)
        if isinstance(key, bool):
            word = "true" if key else "false"
            if node.value.lower() != word:
                message = f"the key {node.value} is short for {word}; put it in quotes"
                raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
            return word
        if isinstance(key, str | int | float):
            return str(key)
        raise yaml.constructor.ConstructorError(None, None, "a key must be text", node.start_mark)


def _refuse_equal_keys(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
            continue
        if key.value in seen:
            message = f"the key {key.value!r} is there twice; the second one would hide the first"
            raise yaml.constructor.ConstructorError(None, None, message, key.start_mark)
        seen.add(key.value)


def _construct_bool(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> bool:
    return loader.construct_scalar(node).lower() in ("y", "yes", "true", "on")


def _construct_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | float:
    text = loader.construct_scalar(node).replace("_", "")
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.lstrip("+"))
    octal = digits.startswith("0") and digits.isdigit()
    value = sign * int(digits, 8 if octal else 0)
    return value if -(2**63) <= value < 2**64 else float(value)


def _construct_float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | float:
    text = loader.construct_scalar(node).replace("_", "").lower()
    value = float(text.replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(value):
        raise yaml.constructor.ConstructorError(
            None, None, f"{text} can't be written in JSON, which manifests are sent in", node.start_mark
        )
    # On its way through JSON, kubectl makes 1.0 a 1.
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


_INT = r"[-+]?(?:0b[0-1_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)"
_EXPONENT = r"(?:[eE][-+]?[0-9]+)?"
_FLOAT = (
    rf"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?{_EXPONENT}|\.[0-9][0-9_]*{_EXPONENT}|\.(?:inf|Inf|INF))"
    r"|\.(?:nan|NaN|NAN)"
)
_REPLACED = {"int", "float", "timestamp", "value"}

_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag.rpartition(":")[2] not in _REPLACED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(f"^(?:{_INT})$"), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"^(?:{_FLOAT})$"), list("-+.0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^[yYnN]$"), list("yYnN"))
_Loader.add_constructor("tag:yaml.org,2002:bool", _construct_bool)
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)
