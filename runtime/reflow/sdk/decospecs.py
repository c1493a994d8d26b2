"""`--with retry:times=4`: a decorator added to every step from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from reflow.sdk import decorators
from reflow.sdk.decorators.base import StepDecorator
from reflow.sdk.steps import step_names
from reflow.values.errors import FlowError, UsageError


def add_decorators(flow: type, specs: Iterable[str]) -> None:
    """Add each to all steps that haven't got one of its name. Raises UsageError."""
    for spec in specs:
        decorator, attributes = parse_decospec(spec)
        try:
            declared = decorator.declare(attributes)
        except FlowError as error:
            raise UsageError(f"--with {spec}: {error}") from None
        for name in step_names(flow):
            present = getattr(flow, name).__reflow_decorators__
            if all(other.name != declared.name for other in present):
                present.append(declared)


def parse_decospec(spec: str) -> tuple[StepDecorator, dict[str, Any]]:
    """`name` or `name:key=value,key=value`; values are JSON where they can be, else text. Raises UsageError."""
    name, _, rest = spec.partition(":")
    decorator = getattr(decorators, name, None) if name in decorators.__all__ else None
    if not isinstance(decorator, StepDecorator):
        known = sorted(n for n in decorators.__all__ if isinstance(getattr(decorators, n), StepDecorator))
        raise UsageError(f"--with {spec}: there is no step decorator {name!r}; there are {', '.join(known)}.")
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
