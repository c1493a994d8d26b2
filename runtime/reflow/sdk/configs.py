"""`Config`: values that shape a flow before it runs, such as its decorators' attributes and its parameters' defaults.

Kept in the run's manifest as JSON, and read from there by its tasks and its resumes: a file that changes later
changes nothing about a run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Container, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from reflow.sdk.deferred import Deferred, of_config
from reflow.sdk.finalise import VALUES
from reflow.sdk.identity import user_name
from reflow.values.dataclass import dataclass
from reflow.values.errors import FlowError, ReflowError, UsageError

if TYPE_CHECKING:
    from reflow.sdk.flowspec import FlowSpec

_TEXT = "__text__"  # of a value that JSON can't keep: what it is parsed from


class ConfigValue(dict[str, Any]):
    """A configuration's object: a dictionary that can't be changed; `cfg.key` as well as `cfg['key']`."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        super().__init__({key: wrapped(value) for key, value in found.items()})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(
                f"The configuration has no {name!r} here; it has {', '.join(map(str, self)) or 'nothing'}."
            ) from None

    def _refuse(self, *given: Any, **named: Any) -> Any:
        raise TypeError("A configuration can't be changed.")

    __setattr__ = __delattr__ = __setitem__ = __delitem__ = _refuse
    clear = update = setdefault = pop = popitem = _refuse
    __ior__ = _refuse

    def copy(self) -> ConfigValue:
        """One that is equal, and can't be changed either."""
        return ConfigValue(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> ConfigValue:
        return ConfigValue(self)

    @classmethod
    def fromkeys(cls, iterable: Iterable[Any], value: Any = None) -> ConfigValue:  # type: ignore[override]
        """Each key with the same value."""
        return cls(dict.fromkeys(iterable, value))

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary of plain values."""
        return {key: _unwrapped(value) for key, value in self.items()}

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(key for key in self if isinstance(key, str) and key.isidentifier())]

    def __reduce__(self) -> tuple[Any, ...]:
        return ConfigValue, (self.to_dict(),)


def wrapped(value: Any) -> Any:
    """Objects as ConfigValue, also those within lists; anything else as it is."""
    if isinstance(value, Mapping) and not isinstance(value, ConfigValue):
        return ConfigValue(value)
    return type(value)(map(wrapped, value)) if type(value) in (list, tuple) else value


def _unwrapped(value: Any) -> Any:
    if isinstance(value, ConfigValue):
        return value.to_dict()
    return type(value)(map(_unwrapped, value)) if type(value) in (list, tuple) else value


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
        show_default: bool = True,
        **unknown: Any,
    ) -> None:
        if not name.replace("-", "_").isidentifier():
            raise FlowError(f"Config({name!r}): a configuration's name consists of letters, digits, _ and -.")
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
        return getattr(of_config(self._declared.name), name)  # type: ignore[no-any-return]

    def keys(self) -> list[str]:
        """For `@decorator(**cfg)`."""
        return of_config(self._declared.name).keys()

    def __getitem__(self, key: Any) -> Deferred:
        return of_config(self._declared.name)[key]

    def __repr__(self) -> str:
        return f"<Config {self._declared.name}>"


def declared(config: Config) -> ConfigDecl:
    """What it was declared with. Not an attribute: those stand for the configuration's own keys."""
    found: ConfigDecl = config.__dict__["_declared"]
    return found


def shown(config: Config, value: Any) -> Any:
    """A value as steps and expressions see it."""
    found = declared(config)
    if found.plain and isinstance(value, Mapping) and set(value) == {_TEXT}:
        return _parser(found)(value[_TEXT])
    return value if found.plain else wrapped(value)


def configs_of(flow: type) -> dict[str, Config]:
    """A flow class's configurations by name, base classes' first."""
    found: dict[str, Config] = {}
    for part in reversed(flow.__mro__):
        for value in vars(part).values():
            if isinstance(value, Config):
                found[declared(value).name] = value
    return found


def configs_in(environ: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Files and values that the environment names, one JSON object each, as Metaflow has them. Raises UsageError."""
    files = _object_in(environ, "FLOW_CONFIG")
    values = _object_in(environ, "FLOW_CONFIG_VALUE")
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    return {name: str(file) for name, file in files.items()}, texts


def _object_in(environ: Mapping[str, str], name: str) -> dict[str, Any]:
    for variable in (f"REFLOW_{name}", f"METAFLOW_{name}"):
        if not environ.get(variable):
            continue
        try:
            found = json.loads(environ[variable])
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise UsageError(f"{variable} isn't a JSON object of configurations by their names.")
        return found
    return {}


def resolve_configs(
    flow: type,
    files: Mapping[str, str],
    values: Mapping[str, str],
    folder: str,
    *,
    known: Container[str] = (),
) -> dict[str, Any]:
    """The JSON values of all configurations but the `known`. `files`, `values`: what the user gives, by name;
    `folder`: the script's.

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
        if name not in known
    }


def _value(config: ConfigDecl, file: str | None, text: str | None, folder: str) -> Any:
    if file is not None and text is not None:
        raise UsageError(f"Config {config.name}: give it either by --config or by --config-value, not both.")
    if file is not None:
        return _parsed(config, _read(config, (file,)))
    if text is not None:
        return _parsed(config, text)
    default = _called(config, config.default)
    if default is not None:
        return _parsed(config, _read(config, (default, os.path.join(folder, default))))
    value = _called(config, config.default_value)
    if value is None:
        if config.required:
            raise UsageError(
                f"The configuration {config.name} is required: give it by --config {config.name} FILE, "
                f"or by --config-value {config.name} JSON."
            )
        return None
    return _parsed(config, value) if isinstance(value, str) else _checked(config, _json(config, value))


def _called(config: ConfigDecl, default: Any) -> Any:
    """What a default is, or gives that is a function: of a context, as in Metaflow, or of nothing."""
    if not callable(default):
        return default
    code = getattr(default, "__code__", None)
    if code is not None and code.co_argcount - len(getattr(default, "__defaults__", None) or ()) < 1:
        return default()
    from reflow.sdk.parameters import ParameterContext

    return default(ParameterContext("", user_name(), config.name))


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
            found = json.loads(text)
        except ValueError as error:
            raise UsageError(
                f"Config {config.name} isn't JSON: {error}. For another format, give it a parser=."
            ) from None
        return _checked(config, found)
    try:
        found = _parser(config)(text)
        if config.plain and not _is_json(found):
            return {_TEXT: text}  # parsed again in each process
        return _checked(config, _json(config, found))
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


def _checked(config: ConfigDecl, value: Any) -> Any:
    if config.plain or value is None or isinstance(value, Mapping):
        return value
    raise UsageError(
        f"Config {config.name} must be a mapping (got type {type(value)}): an object with names and values. Anything"
        " else takes a Config with plain=True."
    )


def _is_json(value: Any) -> bool:
    """Whether a value is the same after it was kept as JSON."""
    if isinstance(value, dict):
        return all(type(key) is str and _is_json(item) for key, item in value.items())
    if type(value) is list:
        return all(map(_is_json, value))
    return value is None or type(value) in (str, int, float, bool)


def _json(config: ConfigDecl, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value.to_dict() if isinstance(value, ConfigValue) else value))
    except (TypeError, ValueError) as error:
        raise UsageError(f"Config {config.name} can't be kept as JSON: {error}.") from None
