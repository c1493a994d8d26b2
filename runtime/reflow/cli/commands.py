"""The commands that read what runs have left, and tidy it up: their names, arguments, and where each is done.

The same for a script (`python flow.py list`) and for `reflow`, which takes flows by name. Light: a command's own module
is imported only when it's called.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from reflow.cli.parsing import Parser, at_least_zero, duration
from reflow.cli.target import Target
from reflow.values.dataclass import dataclass

Subparsers: TypeAlias = "argparse._SubParsersAction[Parser]"


@dataclass(frozen=True, slots=True)
class Command:
    """`arguments` adds its own to a parser; `by_name` those that only `reflow` has; `done_by`: `module:function`;
    `needs_graph`: of the script's flow."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    done_by: str
    by_name: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    needs_graph: bool = False

    def do(self, target: Target, options: argparse.Namespace) -> int:
        """The exit code. Raises ReflowError."""
        module, _, function = self.done_by.partition(":")
        code: int = getattr(import_module(f"reflow.cli.{module}"), function)(target, options)
        return code


def as_ours(words: Sequence[str]) -> Sequence[str]:
    """Metaflow's `logs show PATH` is `logs PATH` here, and its `help` is `--help`."""
    if list(words[:1]) == ["help"]:
        return ["--help", *words[1:]]
    at = list(words).index("logs") if "logs" in words else len(words)
    if list(words[at + 1 : at + 2]) == ["show"]:
        return [*words[: at + 1], *words[at + 2 :]]
    return words


def add_commands(commands: Subparsers, shared: Parser) -> None:
    """To a script's parser. `shared`: options that all commands take."""
    for name, command in COMMANDS.items():
        parser = commands.add_parser(name, help=command.help, parents=[shared], allow_abbrev=False)
        command.arguments(parser)


def add_commands_by_name(commands: Subparsers) -> None:
    """To the parser of `reflow`."""
    for name, command in COMMANDS.items():
        if command.needs_graph:
            continue
        parser = commands.add_parser(name, help=command.help, allow_abbrev=False)
        parser.add_argument("--store", metavar="URL", help="A folder, or s3://bucket/prefix?endpoint=…")
        command.by_name(parser)
        command.arguments(parser)


# Arguments


def _flows(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "flows", nargs="*", metavar="FLOW", help="These flows only. Default: all of the store."
    )


def _list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit",
        type=at_least_zero,
        metavar="N",
        help="So many at most; 0 for all. Default: 20, with --json all.",
    )
    parser.add_argument(
        "--tag", dest="with_tags", action="append", default=[], help="Runs with this tag; may be repeated."
    )
    parser.add_argument("--json", action="store_true", help="One JSON array, for programs.")


def _logs(parser: argparse.ArgumentParser) -> None:
    _task_path(parser)
    streams = parser.add_mutually_exclusive_group()
    streams.add_argument(
        "--stdout", dest="streams", action="store_const", const="o", help="Only what it printed."
    )
    streams.add_argument("--stderr", dest="streams", action="store_const", const="e", help="Only its errors.")
    streams.add_argument(
        "--both", dest="streams", action="store_const", const="oe", help="Both; the default."
    )
    parser.set_defaults(streams="oe")
    parser.add_argument(
        "--timestamps",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="The time of each line before it.",
    )
    parser.add_argument(
        "--attempt", type=at_least_zero, metavar="N", help="This attempt, from 0. Default: the latest."
    )


def _dump(parser: argparse.ArgumentParser) -> None:
    _task_path(parser)
    parser.add_argument(
        "--private",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="Also artifacts whose names start with _.",
    )
    parser.add_argument(
        "--max-value-size",
        type=at_least_zero,
        default=1000,
        metavar="BYTES",
        help="Don't show larger values; 0 for names only (%(default)s).",
    )
    parser.add_argument("--include", default="", metavar="NAMES", help="Only these artifacts: a,b,c")
    to = parser.add_mutually_exclusive_group()
    to.add_argument(
        "--file", type=Path, metavar="FILE", help="Pickle the values into this file, of any size."
    )
    to.add_argument("--json", action="store_true", help="One JSON object, for programs.")


def _task_path(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path",
        metavar="[[FLOW/]RUN/]STEP[/TASK]",
        help="One task, or all of a step. Of a script's flow, STEP[/TASK] is of its last run here.",
    )


def _tag(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="tag_command", metavar="COMMAND", parser_class=Parser, required=True)
    for name, what in (
        ("add", "Add tags to a run."),
        ("remove", "Remove tags from a run."),
        ("replace", "Replace tags of a run by others."),
        ("list", "Show a run's tags, or all runs'."),
    ):
        kind = kinds.add_parser(name, help=what, allow_abbrev=False)
        kind.add_argument("--store", metavar="URL", default=argparse.SUPPRESS, help="See `tag --help`.")
        kind.add_argument("--run-id", metavar="[FLOW/]RUN", help="Default: the last run here.")
        kind.add_argument("--namespace", metavar="NAME", help="As in Metaflow; a run's id is enough here.")
        if name == "list":
            kind.add_argument("run", nargs="?", metavar="RUN", help="As --run-id.")
            kind.add_argument("--all", action="store_true", help="Of all runs of the flow.")
            kind.add_argument("--my-runs", action="store_true", help="Of your runs of the flow.")
            kind.add_argument("--group-by-tag", action="store_true", help="The runs of each tag.")
            kind.add_argument(
                "--group-by-run", action="store_true", help="The tags of each run; the default."
            )
            kind.add_argument("--hide-system-tags", action="store_true", help="Only those that users gave.")
            kind.add_argument("--flat", action="store_true", help="A tag a line, and nothing else.")
            kind.add_argument("--json", action="store_true", help="One JSON object, for programs.")
        elif name == "replace":
            kind.add_argument("tags", nargs="*", metavar="OLD NEW", help="One tag by another.")
            kind.add_argument("--remove", action="append", default=[], metavar="TAG", help="May be repeated.")
            kind.add_argument("--add", action="append", default=[], metavar="TAG", help="May be repeated.")
        else:
            kind.add_argument("tags", nargs="+", metavar="TAG")


def _card(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="card_command", metavar="COMMAND", parser_class=Parser, required=True)
    for name, what in (
        ("list", "List the cards of a task, of a step's tasks, or of a run."),
        ("get", "Print a card's HTML, or write it into a file."),
        ("view", "Open a card in a browser."),
    ):
        kind = kinds.add_parser(name, help=what, allow_abbrev=False)
        kind.add_argument("--store", metavar="URL", default=argparse.SUPPRESS, help="See `card --help`.")
        kind.add_argument(
            "path",
            nargs="?" if name == "list" else None,
            metavar="[FLOW/][RUN/]STEP[/TASK]",
            help="Of a script's flow, STEP alone is of its last run here.",
        )
        if name == "get":
            kind.add_argument("file", nargs="?", type=Path, metavar="FILE", help="Default: print it.")
        kind.add_argument("--id", help="The card with this id.")
        kind.add_argument("--type", help="The card of this type.")
        kind.add_argument("--hash", help="The card with this hash, or one that begins so.")
        kind.add_argument(
            "--follow-resumed", action="store_true", help="As always: a cloned task shows its origin's cards."
        )
        if name == "list":
            kind.add_argument(
                "--json", "--as-json", dest="json", action="store_true", help="One JSON array, for programs."
            )


def _gc(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--yes", action="store_true", help="Delete. Without it, only show what would be deleted."
    )
    parser.add_argument(
        "--run",
        dest="doomed",
        action="append",
        default=[],
        metavar="[FLOW/]ID",
        help="Delete this run; may be repeated.",
    )
    parser.add_argument(
        "--keep", type=at_least_zero, metavar="N", help="Delete all runs but the newest N of each flow."
    )
    parser.add_argument(
        "--keep-newer-than",
        type=duration,
        metavar="AGE",
        help="Delete runs that ended longer ago: 30d, 12h. With --keep, a run goes that neither keeps.",
    )
    parser.add_argument("--json", action="store_true", help="One JSON array, for programs.")


def _nothing(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own."""


COMMANDS: Mapping[str, Command] = {
    "list": Command("List the runs, the newest first.", _list, "listing:list_runs", _flows),
    "logs": Command("Show what a task wrote.", _logs, "output:show_logs"),
    "dump": Command("Show a task's artifacts.", _dump, "dumping:dump"),
    "card": Command("List, get or view the cards that steps left.", _card, "carding:card"),
    "tag": Command("Add, remove, replace or list a run's tags.", _tag, "tagging:tag"),
    "gc": Command("Delete runs and values that nobody needs.", _gc, "collecting:collect_garbage", _flows),
    "output-dot": Command(
        "Print the flow's graph in the language of Graphviz.",
        _nothing,
        "drawing:output_dot",
        needs_graph=True,
    ),
    "version": Command("Print Reflow's version.", _nothing, "versions:print_version"),
}
