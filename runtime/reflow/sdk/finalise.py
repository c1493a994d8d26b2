"""A flow's class once its configurations are known: in the command line's process, and again in each task's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from reflow.graph.types import Decorator
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
    has_mutators = any("__reflow_mutators__" in part.__dict__ for part in flow.__mro__) or any(
        hasattr(getattr(flow, name), "__reflow_mutators__") for name in step_names(flow)
    )
    if has_mutators:
        from reflow.sdk.mutators import mutate

        mutate(flow, before=True)
    _settle(flow)
    if has_mutators:
        from reflow.sdk.mutators import mutate

        mutate(flow, before=False)
        _settle(flow)


def seen_configs(flow: type) -> dict[str, Any]:
    """The configurations' values as expressions and steps see them."""
    if "reflow.sdk.configs" not in sys.modules:
        return {}
    from reflow.sdk.configs import configs_of, shown

    values: Mapping[str, Any] = getattr(flow, VALUES, {})
    return {name: shown(config, values.get(name)) for name, config in configs_of(flow).items()}


def config_values(flow: type) -> dict[str, Any]:
    """The configurations' JSON values by the class's variable that holds them: they are artifacts too."""
    if "reflow.sdk.configs" not in sys.modules:
        return {}
    from reflow.sdk.configs import configs_of, declared

    values: Mapping[str, Any] = getattr(flow, VALUES, {})
    return {declared(config).attribute: values.get(name) for name, config in configs_of(flow).items()}


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
