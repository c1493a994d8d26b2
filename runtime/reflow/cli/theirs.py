"""Options of Metaflow's that have nothing to do here: taken, so that its command lines work as they are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from reflow.cli.parsing import Parser

IGNORED = ("--event-logger", "--monitor", "--package-suffixes")
IGNORED_SWITCHES = ("--pylint", "--no-pylint", "--not-quiet")


def add_their_options(shared: argparse.ArgumentParser) -> None:
    """Those that Metaflow has before any command. They aren't shown: nobody needs them."""
    shared.add_argument("--datastore", type=_datastore, help=argparse.SUPPRESS)
    shared.add_argument("--datastore-root", dest="store", help=argparse.SUPPRESS)
    shared.add_argument("--metadata", type=_metadata, help=argparse.SUPPRESS)
    for name in IGNORED:
        shared.add_argument(name, help=argparse.SUPPRESS)
    for name in IGNORED_SWITCHES:
        shared.add_argument(name, action="store_true", help=argparse.SUPPRESS)


def add_their_running_options(command: argparse.ArgumentParser) -> None:
    """Those of `run` and `resume`."""
    command.add_argument("--max-log-size", help=argparse.SUPPRESS)


def _datastore(kind: str) -> str:
    if kind not in ("local", "s3"):
        raise argparse.ArgumentTypeError(
            f"{kind!r} isn't a store of Reflow's: runs are kept in a folder or in a bucket, see --store"
        )
    return kind


def _metadata(kind: str) -> str:
    if kind not in ("local", "spin"):
        raise argparse.ArgumentTypeError(
            f"there is no {kind!r} here: Reflow needs no metadata service, its runs are found in the store"
        )
    return kind


def command_in(parser: Parser, words: Sequence[str]) -> str:
    """The first word after the options that may come before any command: `run` of `--quiet --datastore local run`.

    "" where another option comes first.
    """
    options = parser._option_string_actions
    at = 0
    while at < len(words) and words[at].startswith("-"):
        name, _, value = words[at].partition("=")
        action = options.get(name)
        if action is None and name not in ("--config", "--config-value"):
            return ""
        if action is None:
            at += 3
        else:
            at += 1 if value or action.nargs == 0 else 2
    return words[at] if at < len(words) else ""
