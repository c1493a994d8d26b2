"""`--with retry:times=4`: a decorator added to every step from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from reflow.sdk import decorators
from reflow.sdk.decorators.base import FlowDecorator, StepDecorator
from reflow.sdk.steps import step_names
from reflow.values.errors import FlowError, UsageError
from reflow.values.similar import did_you_mean


def add_decorators(flow: type, specs: Iterable[str]) -> None:
    """Add each to all steps that haven't got one of its name. Raises UsageError."""
    for spec in specs:
        made, attributes = parse_decospec(spec)
        for name in step_names(flow):
            try:
                _add(flow, getattr(flow, name), made, attributes)
            except FlowError as error:
                raise UsageError(f"--with {spec}: {error}") from None


def _add(flow: type, function: Any, made: Any, attributes: dict[str, Any]) -> None:
    if isinstance(made, StepDecorator):
        declared = made.declare(attributes)
        if all(other.name != declared.name for other in function.__reflow_decorators__):
            function.__reflow_decorators__.append(declared)
        return
    from reflow.sdk.mutators import MutableFlow, MutableStep, StepMutator

    step = MutableStep(MutableFlow(flow), function)
    if issubclass(made, StepMutator):
        mutator = step.add_decorator(made, deco_kwargs=attributes)
        if mutator is not None:
            mutator.pre_mutate(step)
            mutator.mutate(step)
    else:
        step.add_decorator(made, deco_kwargs=attributes)


def users_decorator(name: str) -> Any:
    """A decorator or mutator that a user wrote: `name` of the script, or `module.name`. None where there's none."""
    import sys
    from importlib import import_module

    from reflow.sdk.wrapping import UserDecorator

    module, _, own = name.rpartition(".")
    try:
        found = getattr(import_module(module) if module else sys.modules["__main__"], own, None)
    except ImportError:
        return None
    return found if isinstance(found, type) and issubclass(found, UserDecorator) else None


def parse_decospec(spec: str) -> tuple[Any, dict[str, Any]]:
    """`name` or `name:key=value,key=value`; values are JSON where they can be, else text. Raises UsageError."""
    name, _, rest = spec.partition(":")
    decorator = getattr(decorators, name, None) if name in decorators.__all__ else None
    if decorator is None:
        decorator = users_decorator(name)
    if not isinstance(decorator, StepDecorator | type):
        known = sorted(n for n in decorators.__all__ if isinstance(getattr(decorators, n), StepDecorator))
        meant = did_you_mean(name, known)
        raise UsageError(
            f"--with {spec}: there is no step decorator {name!r}{meant}; there are {', '.join(known)}."
        )
    return decorator, dict(_attributes(spec, rest))


def parse_flow_decospec(spec: str) -> tuple[Any, dict[str, Any]]:
    """As `parse_decospec`, for a decorator or a mutator of the flow. Raises UsageError."""
    name, _, rest = spec.partition(":")
    decorator = getattr(decorators, name, None) if name in decorators.__all__ else users_decorator(name)
    if not isinstance(decorator, FlowDecorator | type):
        raise UsageError(f"{spec}: there is no flow decorator and no mutator {name!r}.")
    return decorator, dict(_attributes(spec, rest))


def _attributes(spec: str, text: str) -> Iterable[tuple[str, Any]]:
    for part in _split(text):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--with {spec}: {part!r} isn't key=value.")
        yield key.strip(), _value(value.strip())


def _split(text: str) -> Iterable[str]:
    """Split at commas that are not within brackets, braces or quotes."""
    depth, quoted, part = 0, False, ""
    for char in text:
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "[{":
            depth += 1
        elif not quoted and char in "]}":
            depth -= 1
        if char == "," and depth == 0 and not quoted:
            yield part
            part = ""
        else:
            part += char
    if part:
        yield part


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text, text)
