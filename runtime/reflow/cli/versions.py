"""`version`."""

from __future__ import annotations

import argparse

from reflow import __version__
from reflow.cli.target import Target


def print_version(target: Target, options: argparse.Namespace) -> int:
    print(f"reflow {__version__}")
    return 0
