"""Argument parsing as all commands do it."""

from __future__ import annotations

import argparse
from typing import NoReturn

from reflow.values.errors import UsageError


class Parser(argparse.ArgumentParser):
    """argparse, with errors as one sentence and exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See `{self.prog} --help`.")
