"""Values that are known only once a flow's configurations are: `config_expr('cfg.a')`, or `cfg.a` in a class body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.values.errors import FlowError


class Deferred:
    """An expression over configurations, worked out when a run starts, and again in each of its tasks."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Deferred:
        if name.startswith("__"):
            raise AttributeError(name)
        return Deferred(f"{self._text}.{name}")

    def __getitem__(self, key: Any) -> Deferred:
        return Deferred(f"{self._text}[{key!r}]")

    def __repr__(self) -> str:
        return f"config_expr({self._text!r})"

    def __bool__(self) -> bool:
        raise FlowError(f"{self!r} is known only once the run starts, so it can't be asked about here.")


def config_expr(text: str) -> Deferred:
    """A Python expression in which the flow's configurations are known by their names."""
    return Deferred(text)


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
        try:
            return eval(text, {"__builtins__": __builtins__}, dict(configs))
        except Exception as error:
            raise FlowError(
                f"{where}: config_expr({text!r}) can't be worked out: {type(error).__name__}: {error}. "
                f"The flow's configurations are {', '.join(configs) or 'none at all'}."
            ) from error
    if not is_deferred(value):
        return value
    if isinstance(value, Mapping):
        return {key: worked_out(item, configs, where) for key, item in value.items()}
    return [worked_out(item, configs, where) for item in value]
