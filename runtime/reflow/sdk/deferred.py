"""Values that are known only once a flow's configurations are: `config_expr('cfg.a')`, or `cfg.a` in a class body."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from reflow.values.errors import FlowError

UNPACKED = "**config"  # the beginning of the key under which `**cfg.part` puts what it stands for
CONFIGS = "__configs__"  # in an expression: all configurations by name, for names that are no identifiers


class Deferred:
    """An expression over configurations, worked out when a run starts, and again in each of its tasks.

    `names`: what the expression may use besides: the globals of the module that it stands in.
    """

    __slots__ = ("_names", "_text")

    def __init__(self, text: str, names: Mapping[str, Any] | None = None) -> None:
        self._text = text
        self._names = names

    def __getattr__(self, name: str) -> Deferred:
        if name.startswith("__"):
            raise AttributeError(name)
        return Deferred(f"{self._part}.{name}", self._names)

    def keys(self) -> list[str]:
        """For `@decorator(**cfg.part)`: one key, which the decorator replaces once the configuration is known."""
        return [f"{UNPACKED}{id(self)}"]

    def __getitem__(self, key: Any) -> Deferred:
        if isinstance(key, str) and key.startswith(UNPACKED):
            return self
        return Deferred(f"{self._part}[{key!r}]", self._names)

    @property
    def _part(self) -> str:
        """The expression as a part of another."""
        is_plain = all(char.isalnum() or char in "_.[]'" for char in self._text)
        return self._text if is_plain else f"({self._text})"

    def __repr__(self) -> str:
        return f"config_expr({self._text!r})"

    def __bool__(self) -> bool:
        raise FlowError(f"{self!r} is known only once the run starts, so it can't be asked about here.")


def config_expr(text: str) -> Deferred:
    """A Python expression in which the flow's configurations are known by their names, and so is what the module
    knows that it stands in.
    """
    return Deferred(text, sys._getframe(1).f_globals)


def of_config(name: str) -> Deferred:
    """A configuration itself."""
    return Deferred(name if name.isidentifier() else f"{CONFIGS}[{name!r}]")


def is_deferred(value: Any) -> bool:
    """Whether the value, or anything in it, waits for configurations."""
    if isinstance(value, Deferred):
        return True
    if isinstance(value, Mapping):
        return any(map(is_deferred, value.values()))
    return isinstance(value, list | tuple) and any(map(is_deferred, value))


def worked_out(value: Any, configs: Mapping[str, Any], where: str) -> Any:
    """The value with all that waited for configurations in its place. Raises FlowError, saying `where`."""
    if isinstance(value, Deferred):
        text = object.__getattribute__(value, "_text")
        names = object.__getattribute__(value, "_names") or {}
        try:
            return eval(text, {"__builtins__": __builtins__, **names, CONFIGS: configs, **dict(configs)})
        except Exception as error:
            raise FlowError(
                f"{where}: config_expr({text!r}) can't be worked out: {type(error).__name__}: {error}. "
                f"The flow's configurations are {', '.join(configs) or 'none at all'}."
            ) from error
    if not is_deferred(value):
        return value
    if isinstance(value, Mapping):
        return _worked_out_items(value, configs, where)
    return [worked_out(item, configs, where) for item in value]


def _worked_out_items(value: Mapping[Any, Any], configs: Mapping[str, Any], where: str) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, item in value.items():
        made = worked_out(item, configs, where)
        if not (isinstance(key, str) and key.startswith(UNPACKED)):
            found[key] = made
        elif isinstance(made, Mapping):
            found.update(made)
        else:
            raise FlowError(f"{where}: ** takes a configuration's object, not {made!r}.")
    return found
