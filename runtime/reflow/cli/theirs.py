"""Options of Metaflow's that have nothing to do here: taken, so that its command lines work as they are."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

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


def without_effect(options: argparse.Namespace, store_url: str) -> Iterator[str]:
    """Those given whose user may expect something of them that doesn't happen."""
    for name in (*IGNORED, "--pylint", "--max-log-size"):
        if getattr(options, name.lstrip("-").replace("-", "_"), None):
            yield name
    if getattr(options, "datastore", "") == "s3" and not store_url.startswith("s3:"):
        yield f"--datastore s3 (the results are kept in {store_url}; --store names a bucket)"


THEIR_COMMANDS = {
    **dict.fromkeys(
        ("kubernetes", "argo-workflows", "batch", "step-functions", "airflow"),
        "in a cluster a flow is run by a FlowRun, see `reflow package --help`",
    ),
    "package": "a flow's code is kept for the cluster by `reflow package FILE`",
    "step": "one step is run by `spin`",
    "output-raw": "`show` and `output-dot` tell the graph",
}
"""What Metaflow has and a flow's script here has not, and what is there instead."""


def command_in(parser: argparse.ArgumentParser, words: Sequence[str]) -> str:
    """The first word after the options that may come before any command: `run` of `--quiet --datastore local run`.

    "" where another option comes first.
    """
    return next(iter(words[command_at(parser, words) :]), "")


def command_at(parser: argparse.ArgumentParser, words: Sequence[str]) -> int:
    """Where `command_in` is among the words; past their end where it's none."""
    options = parser._option_string_actions
    at = 0
    while at < len(words) and words[at].startswith("-"):
        name, _, value = words[at].partition("=")
        action = options.get(name)
        if action is None and name not in ("--config", "--config-value"):
            return len(words)
        if action is None:
            at += 3
        else:
            at += 1 if value or action.nargs == 0 else 2
    return at
