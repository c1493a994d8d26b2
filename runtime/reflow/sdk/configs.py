"""`Config`: values that shape a flow before it runs, such as its decorators' attributes and its parameters' defaults.

Kept in the run's manifest as JSON, and read from there by its tasks and its resumes: a file that changes later
changes nothing about a run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reflow.sdk.deferred import Deferred
from reflow.sdk.finalise import VALUES
from reflow.values.dataclass import dataclass
from reflow.values.errors import FlowError, ReflowError, UsageError

if TYPE_CHECKING:
    from reflow.sdk.flowspec import FlowSpec


class ConfigValue(Mapping[str, Any]):
    """A configuration's object: read-only, `cfg.key` as well as `cfg['key']`."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_found", dict(found))

    def __getitem__(self, key: str) -> Any:
        return wrapped(self._found[key])

    def __getattr__(self, name: str) -> Any:
        if name == "_found" or name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(
                f"The configuration has no {name!r} here; it has {', '.join(self._found) or 'nothing'}."
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"A configuration can't be changed: {name}.")

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary of plain values."""
        found: dict[str, Any] = json.loads(json.dumps(self._found))
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return ConfigValue, (self._found,)

    def __repr__(self) -> str:
        return f"ConfigValue({self._found!r})"


def wrapped(value: Any) -> Any:
    """Objects as ConfigValue, lists as tuples of what they hold; anything else as it is."""
    if isinstance(value, Mapping) and not isinstance(value, ConfigValue):
        return ConfigValue(value)
    return tuple(map(wrapped, value)) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class ConfigDecl:
    """What a Config was declared with. `attribute`: the class's variable that holds it."""

    name: str
    attribute: str
    default: Any
    default_value: Any
    help: str
    required: bool
    parser: Any
    plain: bool


class Config:
    """`cfg = Config('cfg', default='config.json')`: a file, or a value, that shapes the flow.

    `default`: a file's name; `default_value`: text or a dictionary, in its place. `parser`: a function of the text,
    or the name of one; JSON is read without. `required`: a run without it is refused. In a class body, `cfg.key`
    stands for a value that is known when a run starts; in a step, `self.cfg.key` is that value.
    """

    def __init__(
        self,
        name: str,
        default: str | Callable[..., Any] | None = None,
        default_value: Any = None,
        help: str | None = None,
        required: bool | None = None,
        parser: str | Callable[[str], Any] | None = None,
        plain: bool = False,
        **unknown: Any,
    ) -> None:
        if not name.isidentifier():
            raise FlowError(f"Config({name!r}): a configuration's name consists of letters, digits and _.")
        if default is not None and default_value is not None:
            raise FlowError(f"Config({name!r}) takes either default= (a file) or default_value=, not both.")
        if unknown:
            raise FlowError(f"Config({name!r}) takes no {sorted(unknown)[0]!r}.")
        self._declared = ConfigDecl(
            name, name, default, default_value, help or "", bool(required), parser, plain
        )

    def __set_name__(self, owner: type, name: str) -> None:
        from reflow.values.dataclass import replace

        self._declared = replace(self._declared, attribute=name)

    def __get__(self, flow: FlowSpec | None, owner: type | None = None) -> Any:
        if flow is None:
            return self
        values: Mapping[str, Any] = getattr(type(flow), VALUES, {})
        return shown(self, values.get(self._declared.name))

    def __set__(self, flow: FlowSpec, value: Any) -> None:
        raise AttributeError(f"self.{self._declared.attribute} is a configuration, which no step can change.")

    def __getattr__(self, name: str) -> Deferred:
        if name.startswith("__") or name == "_declared":
            raise AttributeError(name)
        return Deferred(f"{self._declared.name}.{name}")

    def __getitem__(self, key: Any) -> Deferred:
        return Deferred(f"{self._declared.name}[{key!r}]")

    def __repr__(self) -> str:
        return f"<Config {self._declared.name}>"


def declared(config: Config) -> ConfigDecl:
    """What it was declared with. Not an attribute: those stand for the configuration's own keys."""
    found: ConfigDecl = config.__dict__["_declared"]
    return found


def shown(config: Config, value: Any) -> Any:
    """A value as steps and expressions see it."""
    return value if declared(config).plain else wrapped(value)


def configs_of(flow: type) -> dict[str, Config]:
    """A flow class's configurations by name, base classes' first."""
    found: dict[str, Config] = {}
    for part in reversed(flow.__mro__):
        for value in vars(part).values():
            if isinstance(value, Config):
                found[declared(value).name] = value
    return found


def resolve_configs(
    flow: type, files: Mapping[str, str], values: Mapping[str, str], folder: str
) -> dict[str, Any]:
    """The JSON values of all configurations. `files`, `values`: what the user gives, by name; `folder`: the script's.

    Raises UsageError where one is unknown, missing, or can't be read.
    """
    configs = configs_of(flow)
    unknown = [name for name in (*files, *values) if name not in configs]
    if unknown:
        raise UsageError(
            f"The flow has no Config {unknown[0]!r}; its configurations are: {', '.join(configs) or 'none at all'}."
        )
    return {
        name: _value(declared(config), files.get(name), values.get(name), folder)
        for name, config in configs.items()
    }


def _value(config: ConfigDecl, file: str | None, text: str | None, folder: str) -> Any:
    if file is not None and text is not None:
        raise UsageError(f"Config {config.name}: give it either by --config or by --config-value, not both.")
    if file is not None:
        return _parsed(config, _read(config, (file,)))
    if text is not None:
        return _parsed(config, text)
    default = config.default() if callable(config.default) else config.default
    if default is not None:
        return _parsed(config, _read(config, (default, os.path.join(folder, default))))
    value = config.default_value() if callable(config.default_value) else config.default_value
    if value is None:
        if config.required:
            raise UsageError(
                f"The configuration {config.name} is required: give it by --config {config.name} FILE, "
                f"or by --config-value {config.name} JSON."
            )
        return None
    return _parsed(config, value) if isinstance(value, str) else _json(config, value)


def _read(config: ConfigDecl, paths: tuple[str, ...]) -> str:
    failure: OSError | None = None
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                return file.read()
        except OSError as error:
            failure = failure or error
        except UnicodeDecodeError as error:
            raise UsageError(f"Config {config.name}: {path} isn't text in UTF-8 ({error.reason}).") from None
    reason = failure.strerror if failure else "no name"
    raise UsageError(f"Config {config.name}: the file {paths[0]} can't be read: {reason}.")


def _parsed(config: ConfigDecl, text: str) -> Any:
    if config.parser is None:
        if config.plain:
            return text
        try:
            return json.loads(text)
        except ValueError as error:
            raise UsageError(
                f"Config {config.name} isn't JSON: {error}. For another format, give it a parser=."
            ) from None
    try:
        return _json(config, _parser(config)(text))
    except ReflowError:
        raise
    except Exception as error:
        raise UsageError(
            f"Config {config.name}: its parser failed: {type(error).__name__}: {error}."
        ) from error


def _parser(config: ConfigDecl) -> Callable[[str], Any]:
    if callable(config.parser):
        found: Callable[[str], Any] = config.parser
        return found
    from importlib import import_module

    module, _, name = str(config.parser).rpartition(".")
    if not module:
        raise UsageError(
            f"Config {config.name}: parser={config.parser!r} names no function as module.function."
        )
    return getattr(import_module(module), name)  # type: ignore[no-any-return]


def _json(config: ConfigDecl, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value.to_dict() if isinstance(value, ConfigValue) else value))
    except (TypeError, ValueError) as error:
        raise UsageError(f"Config {config.name} can't be kept as JSON: {error}.") from None
