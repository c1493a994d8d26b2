"""The `reflow` command's own subcommands, those that aren't a flow script's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reflow import __version__
from reflow.cli.commands import COMMANDS, add_commands_by_name, as_ours
from reflow.cli.completion import HOW, SHELLS
from reflow.cli.parsing import Parser
from reflow.cli.target import Target
from reflow.cli.words import Level, levels
from reflow.values.dataclass import replace

if TYPE_CHECKING:
    from reflow.cli.flow import FlowScript


def toplevel_command(arguments: Sequence[str]) -> int:
    """Parse and do; the exit code. Raises UsageError."""
    parser = build_parser()
    options = parser.parse_args(as_ours(arguments))
    if options.command == "apply":
        from reflow.cli.applying import apply

        return apply(options)
    if options.command == "package":
        from reflow.cli.packaging import package

        return package(options)
    if options.command == "completion":
        from reflow.cli.completion import completion

        print(completion(options.shell, list(all_levels())), end="")
        return 0
    if options.command in COMMANDS:
        return COMMANDS[options.command].do(Target(None, options.store), options)
    parser.print_help()
    return 0


def build_parser() -> Parser:
    parser = Parser(
        prog="reflow",
        description="Python flows on Kubernetes that are painless to debug.",
        epilog="reflow run FILE --help lists a flow's options. In the file, `from metaflow import` means Reflow.",
    )
    parser.add_argument("--version", action="version", version=f"reflow {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name, what in (
        ("run", "Run a flow's file from its start."),
        ("resume", "Run a flow's file again from what failed."),
        ("spin", "Run one step of a flow's file alone, with its inputs of an earlier run."),
        ("debug", "Run a task's step of a flow's file again under a debugger."),
        ("show", "Show the steps of a flow's file."),
        ("check", "Check that a flow's file can run."),
    ):
        commands.add_parser(name, help=what).add_argument("file", metavar="FILE")
    apply = commands.add_parser("apply", help="Run FlowRun and Resume manifests on this machine.")
    apply.add_argument(
        "-f",
        "--filename",
        dest="files",
        action="append",
        required=True,
        metavar="FILE",
        help="- for standard input; may be repeated.",
    )
    apply.add_argument("--local", action="store_true", help="Here, in the foreground, without a cluster.")
    apply.add_argument("--store", metavar="URL", help="A folder, or s3://bucket/prefix?endpoint=…")
    apply.add_argument(
        "--fresh-process", action="store_true", help="Start a Python for each task, never fork one."
    )
    package = commands.add_parser(
        "package", help="Keep a flow's code in the store, for `code.package` of a FlowRun."
    )
    package.add_argument(
        "script",
        type=Path,
        metavar="FILE",
        help="The flow's file; the .py files beside and below it come along.",
    )
    package.add_argument("--store", metavar="URL", help="A folder, or s3://bucket/prefix?endpoint=…")
    package.add_argument(
        "--platform",
        dest="platforms",
        action="append",
        choices=("linux/amd64", "linux/arm64"),
        help="Of the nodes, for the packages of steps with @pypi; may be repeated. Default: as this machine's.",
    )
    package.add_argument(
        "--python",
        default="",
        metavar="VERSION",
        help="Of the image, for the same packages: 3.12, say. Default: this one's.",
    )
    add_commands_by_name(commands)
    completion = commands.add_parser(
        "completion",
        help="Print a script that makes a shell complete this command.",
        epilog=" ".join(f"{shell}: {how}." for shell, how in HOW.items()),
    )
    completion.add_argument("shell", choices=SHELLS)
    return parser


def any_flow() -> FlowScript:
    """Stands for a flow's file: its own parameters aren't known."""
    from reflow.cli.flow import FlowScript

    class Flow:
        """Any flow."""

    return FlowScript(Flow, Path("FILE"), alias=True)  # type: ignore[arg-type]


def print_help_of(command: str) -> None:
    """What `reflow COMMAND FILE` takes, whatever the flow."""
    from reflow.cli.flow import build_parser as build_flow_parser

    below = build_flow_parser(any_flow(), {})._subparsers
    assert below is not None
    parser = below._group_actions[0].choices[command]  # type: ignore[index]
    parser.prog = f"reflow {command} FILE"
    parser.epilog = f"`reflow {command} FILE --help` lists the flow's own parameters too."
    parser.print_help()


def all_levels() -> Iterator[Level]:
    """What can be typed: `reflow`'s own commands, with the options that those on a flow's file have."""
    from reflow.cli.flow import build_parser as build_flow_parser
    from reflow.cli.main import FILE_COMMANDS

    of_file = {level.path: level for level in levels(build_flow_parser(any_flow(), {}))}
    for level in levels(build_parser()):
        if level.path.strip("/") in FILE_COMMANDS:
            level = replace(of_file[level.path], positional="file")
        yield level
