"""`Parameter`: a value that a run is given, the same in all its steps, and kept in the run's manifest as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reflow.sdk.deferred import is_deferred, worked_out
from reflow.values.dataclass import dataclass
from reflow.values.errors import FlowError, ReflowError, UsageError

if TYPE_CHECKING:
    from reflow.sdk.flowspec import FlowSpec

RESERVED_NAMES = frozenset(
    [
        "config",
        "config-value",
        "fresh-process",
        "help",
        "max-log-size",
        "max-num-splits",
        "max-workers",
        "namespace",
        "run-id-file",
        "runner-attribute-file",
        "store",
        "tag",
        "with",
    ]
)
"""Options that a run is told by, after the command: these no parameter can take. Of the others it takes the place."""

ATTRIBUTES = frozenset({"next", "foreach_stack", "merge_artifacts"})
"""Methods of a flow, which a parameter would hide."""

ENVIRONMENT_PREFIXES = ("REFLOW_RUN_", "METAFLOW_RUN_")
_TRUE = frozenset({"true", "yes", "on", "1", "t", "y"})
_FALSE = frozenset({"false", "no", "off", "0", "f", "n"})


class JSONTypeClass:
    """The type of a parameter that is written as JSON: `Parameter('spec', type=JSONType)`."""

    def __repr__(self) -> str:
        return "JSON"


JSONType = JSONTypeClass()
_TYPE_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class ParameterContext:
    """What a default that is a function gets to know."""

    flow_name: str
    user_name: str
    parameter_name: str
    configs: Any = None
    """The flow's configurations by name, as steps see them."""


class WrongParameter(UsageError):
    """A value that a parameter can't have. `reason`: what is wrong with it, after "the parameter …"."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"The parameter {name} {reason}. Set it with --{name}.")


class Parameter:
    """A parameter of a flow: `alpha = Parameter('alpha', default=0.1, help='Learning rate')`.

    `type`: str, int, float, bool or JSONType; left out, it's the default's, else str. `default`: a value, or a
    function of a ParameterContext, called when a run starts. `required`: a run without it is refused. `separator`:
    the text is split there into a list of texts. `multiple`: given several times, it is a list.
    """

    def __init__(
        self,
        name: str,
        default: Any = None,
        type: Any = None,
        help: str | None = None,
        required: bool | None = None,
        show_default: bool = True,
        separator: str | None = None,
        multiple: bool = False,
        **unknown: Any,
    ) -> None:
        if not name or not name.replace("-", "_").isidentifier():
            raise FlowError(f"Parameter({name!r}): a parameter's name consists of letters, digits, - and _.")
        if name.replace("_", "-") in RESERVED_NAMES:
            raise FlowError(
                f"Parameter({name!r}): --{name} is an option of `run` itself; choose another name."
            )
        if unknown:
            raise FlowError(f"Parameter({name!r}) takes no {sorted(unknown)[0]!r}.")
        self.name = name
        self.default = default
        self._type_given = type is not None
        self.type = type if type is not None else _type_of(default)
        self.help = "" if help is None else help
        self.required = required if is_deferred(required) else bool(required)
        self.show_default = show_default
        self.separator = separator
        self.multiple = multiple
        self.attribute = name
        if not isinstance(self.type, JSONTypeClass) and self.type not in _TYPE_NAMES:
            raise FlowError(
                f"Parameter({name!r}): its type is {type!r}; it can be str, int, float, bool or JSONType."
            )

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name

    def settle(self, configs: Mapping[str, Any]) -> None:
        """Work out what waited for the flow's configurations. Raises FlowError."""
        where = f"Parameter({self.name!r})"
        self.help, self.required = (worked_out(one, configs, where) for one in (self.help, self.required))
        if is_deferred(self.default):
            self.default = worked_out(self.default, configs, where)
            if isinstance(self.default, tuple | Mapping):
                self.default = json.loads(json.dumps(self.default, default=dict))
            if not self._type_given:
                self.type = _type_of(self.default)

    def __get__(self, flow: FlowSpec | None, owner: type | None = None) -> Any:
        if flow is None:
            return self
        values = flow._reflow.parameters
        if self.name in values:
            return values[self.name]
        return None if callable(self.default) else self.default

    def __set__(self, flow: FlowSpec, value: Any) -> None:
        raise AttributeError(
            f"self.{self.attribute} is a parameter of the flow, which no step can change: set another attribute."
        )

    def __repr__(self) -> str:
        return f"<Parameter {self.name}: {self.type_name}>"

    @property
    def type_name(self) -> str:
        """The type in words."""
        return "JSON" if isinstance(self.type, JSONTypeClass) else _TYPE_NAMES[self.type]

    @property
    def help_line(self) -> str:
        """For the command line's help: what it is, its type, its default; without what waits for configurations."""
        parts = [self.help] if not is_deferred(self.help) and self.help else []
        parts.append(f"[{self.type_name}]")
        if self.default is None and not is_deferred(self.required) and self.required:
            parts.append("[required]")
        elif self.default is not None and self.show_default:
            parts.append(
                "[default: set when a run starts]" if callable(self.default) else f"[default: {self.default}]"
            )
        return " ".join(parts)

    def parse(self, text: str) -> Any:
        """The value of a text, as given on the command line. Raises UsageError."""
        if self.separator is not None:
            return [self._parse_one(part) for part in text.split(self.separator)] if text else []
        value = self._parse_one(text)
        return [value] if self.multiple and not isinstance(value, list) else value

    def _parse_one(self, text: str) -> Any:
        try:
            if isinstance(self.type, JSONTypeClass):
                return json.loads(text)
            return _parse_bool(text) if self.type is bool else self.type(text)
        except ValueError as error:
            detail = f" ({error})" if isinstance(self.type, JSONTypeClass) else ""
            raise WrongParameter(self.name, f"is {self.type_name}, and {text!r} isn't{detail}") from None

    def check(self, value: Any) -> Any:
        """A value that came as JSON, from a manifest, in the parameter's type. Raises UsageError."""
        if value is None or isinstance(self.type, JSONTypeClass):
            return _plain(self, value)
        if (self.multiple or self.separator is not None) and isinstance(value, list):
            return [self._check_one(item) for item in value]
        if self.separator is not None and isinstance(value, str):
            return self.parse(value)
        return [self._check_one(value)] if self.multiple else self._check_one(value)

    def _check_one(self, value: Any) -> Any:
        if isinstance(value, str) and self.type is not str:
            return self._parse_one(value)
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if self.type is str and isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if self.type is int and isinstance(value, float) and value.is_integer():
            return int(value)
        if type(value) is not self.type:
            raise WrongParameter(self.name, f"is {self.type_name}, and {json.dumps(value)} isn't")
        return value


def _type_of(default: Any) -> Any:
    if isinstance(default, bool | int | float | str):
        return type(default)
    return JSONType if isinstance(default, list | dict) else str


def is_true(text: str) -> bool:
    """Whether a text is one of those that mean true."""
    return text.strip().lower() in _TRUE


def _parse_bool(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(text)


def _plain(parameter: Parameter, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"The value of the parameter {parameter.name} can't be kept as JSON: {error}."
        ) from None


def parameters_of(flow: type) -> tuple[Parameter, ...]:
    """A flow class's parameters: base classes' first, each in the order of its source. Raises FlowError on a clash."""
    by_attribute: dict[str, Parameter] = {}
    for part in reversed(flow.__mro__):
        for name, value in vars(part).items():
            if isinstance(value, Parameter):
                by_attribute[name] = value
            else:
                by_attribute.pop(name, None)
    for attribute in by_attribute:
        if attribute in ATTRIBUTES:
            raise FlowError(
                f"{flow.__name__} has a parameter as its attribute {attribute!r}, which has a meaning of its own in a "
                f"flow. Call the attribute otherwise: {attribute}_ = Parameter({attribute!r}, …)."
            )
    by_name: dict[str, Parameter] = {}
    for parameter in by_attribute.values():
        if by_name.setdefault(parameter.name.replace("-", "_").lower(), parameter) is not parameter:
            raise FlowError(f"{flow.__name__} has two parameters named {parameter.name}.")
    return tuple(by_attribute.values())


def resolve_parameters(
    flow: type, given: Mapping[str, str | list[str]], environ: Mapping[str, str], *, user: str = ""
) -> dict[str, Any]:
    """All parameters' values for a new run, from texts by name, then the environment, then the defaults.

    Raises UsageError where one is unknown, missing or no value of its type.
    """
    parameters = parameters_of(flow)
    _refuse_unknown(parameters, given)
    values = {}
    for parameter in parameters:
        text = given.get(parameter.name, _from_environment(parameter, environ))
        values[parameter.name] = (
            _parsed(parameter, text) if text is not None else _default(flow, parameter, user)
        )
    return values


def resolve_given(flow: type, given: Mapping[str, str | list[str]]) -> dict[str, Any]:
    """The values of these parameters alone, from texts by name. Raises UsageError as `resolve_parameters` does."""
    parameters = parameters_of(flow)
    _refuse_unknown(parameters, given)
    return {one.name: _parsed(one, given[one.name]) for one in parameters if one.name in given}


def _parsed(parameter: Parameter, text: str | list[str]) -> Any:
    if isinstance(text, list):
        return [item for one in text for item in _as_list(parameter.parse(one))]
    return parameter.parse(text)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def resolve_values(flow: type, given: Mapping[str, Any], *, user: str = "") -> dict[str, Any]:
    """As `resolve_parameters`, from JSON values by name, as a FlowRun has them."""
    parameters = parameters_of(flow)
    _refuse_unknown(parameters, given, "spec.parameters: ")
    try:
        return {
            parameter.name: parameter.check(given[parameter.name])
            if given.get(parameter.name) is not None
            else _default(flow, parameter, user)
            for parameter in parameters
        }
    except WrongParameter as error:
        raise UsageError(f"spec.parameters.{error.name}: the parameter {error.reason}.") from None


def resolve_new(flow: type, known: Mapping[str, Any], *, user: str = "") -> dict[str, Any]:
    """The defaults of parameters that a resumed run's origin had not, since the flow got them later.

    Raises UsageError where one has none and is required.
    """
    missing = [parameter for parameter in parameters_of(flow) if parameter.name not in known]
    for parameter in missing:
        if parameter.required and parameter.default is None:
            raise UsageError(
                f"The parameter {parameter.name} is required, and the run to resume was started without it. "
                f"Give it a default in the flow, or start anew with `run`."
            )
    return {parameter.name: _default(flow, parameter, user) for parameter in missing}


def _refuse_unknown(parameters: tuple[Parameter, ...], given: Mapping[str, Any], where: str = "") -> None:
    """`where`: what an error begins with."""
    names = [parameter.name for parameter in parameters]
    unknown = next((name for name in given if name not in names), None)
    if unknown is not None:
        from reflow.values.similar import did_you_mean

        there = ", ".join(names) or "none at all"
        meant = did_you_mean(unknown, names)
        raise UsageError(f"{where}The flow has no parameter {unknown!r}{meant}; its parameters are: {there}.")


def _from_environment(parameter: Parameter, environ: Mapping[str, str]) -> str | None:
    name = parameter.name.upper().replace("-", "_")
    for prefix in ENVIRONMENT_PREFIXES:
        if prefix + name in environ:
            return environ[prefix + name]
    return None


def settled_configs(flow: type) -> Any:
    """The flow's configurations as steps see them, once they are known."""
    from reflow.sdk.configs import ConfigValue
    from reflow.sdk.finalise import VALUES

    return ConfigValue(getattr(flow, VALUES, {}))


def _default(flow: type, parameter: Parameter, user: str) -> Any:
    default: Any = parameter.default
    if callable(default):
        default = _call_default(flow, parameter, default, user)
    if default is None:
        if parameter.required:
            raise WrongParameter(parameter.name, "is required")
        return None
    try:
        if isinstance(default, str) and isinstance(parameter.type, JSONTypeClass):
            return parameter.parse(default)  # as on the command line: a default is often a text of JSON
        return parameter.check(default)
    except UsageError as error:
        raise UsageError(f"{error} It is the default that the flow itself sets.") from None


def _call_default(
    flow: type, parameter: Parameter, default: Callable[[ParameterContext], Any], user: str
) -> Any:
    try:
        return default(ParameterContext(flow.__name__, user, parameter.name, settled_configs(flow)))
    except ReflowError:
        raise
    except Exception as error:
        raise UsageError(
            f"The default of the parameter {parameter.name} is a function, which failed with "
            f"{type(error).__name__}: {error}. Fix it, or set the parameter with --{parameter.name}."
        ) from error
