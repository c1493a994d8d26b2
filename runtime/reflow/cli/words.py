"""What can be typed after `reflow`, taken from the parsers: the command's words, for completion."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from reflow.values.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """`value`: "" for none, `file`, `any`, or the choices with spaces between."""

    flags: tuple[str, ...]
    help: str
    value: str


@dataclass(frozen=True, slots=True)
class Level:
    """One command, `reflow` itself included: `path` is the commands before it and its own, such as `/tag/add`."""

    path: str
    help: str
    commands: tuple[tuple[str, str], ...]  # names and what they do
    options: tuple[Option, ...]
    positional: str  # as an option's value


def levels(parser: argparse.ArgumentParser, path: str = "", help: str = "") -> Iterator[Level]:
    """A parser's own, then those of its commands."""
    actions = [action for action in parser._actions if action.help is not argparse.SUPPRESS]
    below = next((a for a in actions if isinstance(a, argparse._SubParsersAction)), None)
    helps = {choice.dest: choice.help or "" for choice in below._choices_actions} if below else {}
    named = [a for a in actions if not a.option_strings and a is not below]
    yield Level(
        path,
        help,
        tuple((name, helps.get(name, "")) for name in (below.choices if below else {})),
        tuple(
            Option(tuple(a.option_strings), _plain(a), "" if a.nargs == 0 else _value(a))
            for a in actions
            if a.option_strings
        ),
        next(iter(dict.fromkeys(map(_value, named))), ""),
    )
    for name, child in (below.choices if below else {}).items():
        yield from levels(child, f"{path}/{name}", helps.get(name, ""))


def _value(action: argparse.Action) -> str:
    if action.choices:
        return " ".join(map(str, action.choices))
    return "file" if action.type is Path or action.metavar == "FILE" else "any"


def _plain(action: argparse.Action) -> str:
    """The help as argparse would show it, on one line."""
    try:
        return " ".join(((action.help or "") % {**vars(action), "prog": "reflow"}).split())
    except (KeyError, ValueError, TypeError):
        return action.help or ""
