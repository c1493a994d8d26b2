"""A flow's class once its configurations are known: in the command line's process, and again in each task's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from reflow.graph.types import Decorator
from reflow.sdk.deferred import worked_out
from reflow.sdk.parameters import parameters_of
from reflow.sdk.steps import step_names
from reflow.values.errors import FlowError

_DONE = "__reflow_final__"
VALUES = "__reflow_configs__"  # the class's attribute that holds the configurations' values, by name


def finalise(flow: type, configs: Mapping[str, Any]) -> None:
    """Give the class its configurations' values, work out what waited for them, and let its mutators change it.

    Once per class; again changes nothing. `configs`: JSON values by name. Raises FlowError.
    """
    if _DONE in flow.__dict__:
        return
    setattr(flow, _DONE, True)
    setattr(flow, VALUES, dict(configs))
    mutators = _mutators_of(flow)
    if mutators is not None:
        mutators.begin(flow, seen_configs(flow))
        mutators.mutate(flow, before=True)
    _settle(flow)
    if mutators is not None:
        mutators.mutate(flow, before=False)
        _settle(flow)


def _mutators_of(flow: type) -> Any:
    """The module of mutators, where the flow or a step has a user's decorator."""
    if "reflow.sdk.wrapping" not in sys.modules:
        return None
    from reflow.sdk import mutators
    from reflow.sdk.wrapping import MUTATORS, WRAPPERS

    steps = (vars(getattr(flow, name)) for name in step_names(flow))
    has_some = any(MUTATORS in part.__dict__ for part in flow.__mro__) or any(
        MUTATORS in kept or WRAPPERS in kept for kept in steps
    )
    return mutators if has_some else None


def seen_configs(flow: type) -> dict[str, Any]:
    """The configurations' values as expressions and steps see them."""
    if "reflow.sdk.configs" not in sys.modules:
        return {}
    from reflow.sdk.configs import configs_of, shown

    values: Mapping[str, Any] = getattr(flow, VALUES, {})
    return {name: shown(config, values.get(name)) for name, config in configs_of(flow).items()}


def seen_by_attribute(flow: type) -> dict[str, Any]:
    """As `seen_configs`, by the class's variables that hold them."""
    if "reflow.sdk.configs" not in sys.modules:
        return {}
    from reflow.sdk.configs import configs_of, declared

    seen = seen_configs(flow)
    return {declared(config).attribute: seen[name] for name, config in configs_of(flow).items()}


def config_values(flow: type) -> dict[str, Any]:
    """The configurations' values by the class's variable that holds them: they are artifacts too, objects as plain
    dictionaries.
    """
    return {
        name: value.to_dict() if hasattr(value, "to_dict") else value
        for name, value in seen_by_attribute(flow).items()
    }


def _settle(flow: type) -> None:
    seen = seen_configs(flow)
    for parameter in parameters_of(flow):
        parameter.settle(seen)
    inherited: tuple[Decorator, ...] = getattr(flow, "__reflow_flow_decorators__", ())
    if inherited:
        flow.__reflow_flow_decorators__ = tuple(_settled(one, seen, None) for one in inherited)  # type: ignore[attr-defined]
    for name in step_names(flow):
        function: Any = getattr(flow, name)
        function.__reflow_decorators__[:] = [
            _settled(one, seen, function) for one in function.__reflow_decorators__
        ]


def _settled(decorator: Decorator, seen: Mapping[str, Any], function: Any) -> Decorator:
    from reflow.sdk import decorators
    from reflow.sdk.decorators.base import Declared

    if decorator.name.startswith("user:"):
        return Decorator(decorator.name, worked_out(decorator.attributes, seen, f"@{decorator.name[5:]}"))
    declared = getattr(decorators, decorator.name, None)
    if not isinstance(declared, Declared):
        return decorator
    try:
        return declared.settled(decorator, seen)
    except FlowError as error:
        code = getattr(function, "__code__", None)
        if code is None or error.line:
            raise
        raise FlowError(error.reason, file=code.co_filename, line=code.co_firstlineno) from error
