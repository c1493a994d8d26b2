"""Argument parsing as all commands do it."""

from __future__ import annotations

import argparse
from typing import NoReturn

from reflow.values.errors import UsageError


class Parser(argparse.ArgumentParser):
    """argparse, with errors as one sentence and exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See `{self.prog} --help`.")


def at_least_zero(text: str) -> int:
    """For `type=`: a whole number from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}


def duration(text: str) -> float:
    """For `type=`: seconds from `30d`, `12h`, `90m`."""
    try:
        return float(text[:-1]) * _UNITS[text[-1:]]
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(
            f"{text!r} isn't a time such as 30d, 12h or 90m (units: s, m, h, d, w)"
        ) from None
