"""What is wrong with a manifest's field, as sentences for a user. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from reflow.values.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that breaks a rule of its schema.

    `path`: where it is, such as `spec.steps.train.retries`; `rule`: the schema's keyword; `limit`: what the
    schema says there; `known`: the fields that the schema has at that place; `message`: the validator's.
    """

    path: str
    rule: str
    limit: Any
    value: Any
    known: tuple[str, ...] = ()
    message: str = ""


def sentences(fault: Fault) -> Iterator[str]:
    """`path: sentence` for each thing that the fault is about."""
    for path, sentence in _SAY.get(fault.rule, _say_anything)(fault):
        yield f"{path}: {sentence}" if path else sentence


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean …?` where one of the known names is close, else nothing."""
    folded = {choice.casefold(): choice for choice in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f" Did you mean {folded[close[0]]}?" if close else ""


def shown(value: Any) -> str:
    """A value, short enough for a message."""
    match value:
        case None:
            return "missing"
        case dict():
            return "an object"
        case list():
            return "a list"
        case bool():
            return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


Said = Iterator[tuple[str, str]]


def _say_unknown(fault: Fault) -> Said:
    for name in fault.value:
        if name not in fault.known:
            hint = did_you_mean(name, fault.known) or f" There are {', '.join(sorted(fault.known))}."
            yield _below(fault.path, name), f"there is no such field.{hint}"


def _say_missing(fault: Fault) -> Said:
    for name in fault.limit:
        if name not in fault.value:
            yield _below(fault.path, name), "it is missing."


def _say_type(fault: Fault) -> Said:
    wanted = [fault.limit] if isinstance(fault.limit, str) else fault.limit
    words = " or ".join(_TYPES[name] for name in wanted)
    quotes = " Put it in quotes." if words == "text" and isinstance(fault.value, bool | int | float) else ""
    yield fault.path, f"it must be {words}, not {shown(fault.value)}.{quotes}"


def _say_either(fault: Fault) -> Said:
    wanted = [_TYPES[option["type"]] for option in fault.limit if "type" in option]
    yield fault.path, f"it must be {' or '.join(wanted)}, not {shown(fault.value)}."


def _say_enum(fault: Fault) -> Said:
    choices = [str(choice) for choice in fault.limit]
    hint = did_you_mean(str(fault.value), choices) or f" It is one of {', '.join(choices)}."
    yield fault.path, f"{shown(fault.value)} is not known here.{hint}"


def _say_anything(fault: Fault) -> Said:
    yield fault.path, f"{fault.message}."


def _saying(template: str) -> Callable[[Fault], Said]:
    def say(fault: Fault) -> Said:
        size = len(fault.value) if isinstance(fault.value, str | list | dict) else 0
        yield fault.path, template.format(limit=fault.limit, size=size, value=shown(fault.value))

    return say


_SAY: Mapping[str, Callable[[Fault], Said]] = {
    "additionalProperties": _say_unknown,
    "required": _say_missing,
    "type": _say_type,
    "anyOf": _say_either,
    "enum": _say_enum,
    "pattern": _saying("{value} doesn't fit the pattern {limit}"),
    "minimum": _saying("{value} is too small; the least is {limit}."),
    "maximum": _saying("{value} is too big; the most is {limit}."),
    "minLength": _saying("it must not be empty."),
    "maxLength": _saying("it has {size} characters; the most is {limit}."),
    "maxItems": _saying("it has {size} entries; the most is {limit}."),
    "maxProperties": _saying("it has {size} entries; the most is {limit}."),
}
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
