"""Argument parsing as all commands do it."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from reflow.cli.theirs import THEIR_COMMANDS
from reflow.values.errors import UsageError
from reflow.values.similar import did_you_mean
from reflow.values.tag import why_no_tag

EVERY = "options of every command"  # the last group in a help
MANY = 8  # options (with their short forms) that a usage still lists


class Parser(argparse.ArgumentParser):
    """argparse, with errors as one sentence and exit code 2, and a usage of one line."""

    def format_help(self) -> str:
        """Options are listed below the usage: many of them in the usage too would push what matters off the screen."""
        if self.usage is None and len(self._option_string_actions) > MANY:
            named = [self._shown(action) for action in self._actions if not action.option_strings]
            self.usage = " ".join([self.prog.replace("%", "%%"), "[options]", *named])
        self._action_groups.sort(key=lambda group: group.title == EVERY)
        return super().format_help()

    def _shown(self, action: argparse.Action) -> str:
        if isinstance(action, argparse._SubParsersAction):
            return f"{action.metavar} …"
        name = str(action.metavar or action.dest)
        return f"[{name}]" if action.nargs in ("?", "*") else name

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See `{self.prog} --help`.")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As argparse's, in words that say what was meant."""
        if action.choices is None or value in action.choices:
            return
        meant = did_you_mean(str(value), map(str, action.choices))
        there = ", ".join(map(str, action.choices))
        if isinstance(action, argparse._SubParsersAction):
            if value in THEIR_COMMANDS:
                self.error(f"there is no command {value!r} here: {THEIR_COMMANDS[value]}")
            self.error(f"there is no command {value!r}{meant}; the commands are {there}")
        raise argparse.ArgumentError(action, f"{value!r} is none of {there}{meant}")


def whole_number(text: str, least: int) -> int:
    """Raises ArgumentTypeError."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a whole number") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"must be {least} or more")
    return number


def at_least_zero(text: str) -> int:
    """For `type=`: a whole number from 0."""
    return whole_number(text, 0)


def at_least_one(text: str) -> int:
    """For `type=`: a whole number from 1."""
    return whole_number(text, 1)


def a_tag(text: str) -> str:
    """For `type=`."""
    if why := why_no_tag(text):
        raise argparse.ArgumentTypeError(why)
    return text


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}


def duration(text: str) -> float:
    """For `type=`: seconds from `30d`, `12h`, `90m`."""
    try:
        return float(text[:-1]) * _UNITS[text[-1:]]
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(
            f"{text!r} isn't a time such as 30d, 12h or 90m (units: s, m, h, d, w)"
        ) from None
