"""A flow script's commands: `run`, `resume`, `show`, `check`. Parses the arguments, then hands over."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reflow.cli.commands import COMMANDS, add_commands, as_ours
from reflow.cli.parsing import EVERY, Parser, a_tag, at_least_one
from reflow.cli.target import Target
from reflow.cli.theirs import add_their_options, add_their_running_options, command_at, command_in
from reflow.values.dataclass import dataclass
from reflow.values.errors import UsageError
from reflow.values.limits import DEFAULT_MAX_NUM_SPLITS, DEFAULT_MAX_WORKERS
from reflow.values.similar import did_you_mean

if TYPE_CHECKING:
    from reflow.sdk.flowspec import FlowSpec
    from reflow.sdk.parameters import Parameter


OF_A_RUN = frozenset({"resume", "spin", "debug"})  # commands whose configurations are an earlier run's


@dataclass(frozen=True, slots=True)
class FlowScript:
    """A loaded script. `alias`: in it, `metaflow` means Reflow."""

    flow_class: type[FlowSpec]
    path: Path
    alias: bool


def flow_command(script: FlowScript, arguments: Sequence[str]) -> int:
    """Do what the arguments say; the exit code."""
    configured, arguments = settle(script, as_ours(arguments))
    parameters = {p.name: p for p in _parameters(script)}
    options = parse(script, parameters, arguments)
    options.configs, options.typed = configured, arguments
    if options.command in ("run", "resume"):
        from reflow.cli import running

        if options.command == "run":
            return running.run(script, options, _given(parameters, options))
        return running.resume(script, options)
    if options.command == "spin":
        from reflow.cli.spinning import spin

        return spin(script, options, _given(parameters, options))
    if options.command == "debug":
        from reflow.cli.debugging import debug

        return debug(script, options)
    if options.command in COMMANDS:
        return COMMANDS[options.command].do(Target(script, getattr(options, "store", None)), options)
    from reflow.cli import showing

    command = showing.show if options.command == "show" else showing.check
    return command(script, options)


def settle(script: FlowScript, arguments: Sequence[str]) -> tuple[Mapping[str, Any], Sequence[str]]:
    """Give the flow its configurations before anything else is known of it: its parameters and decorators may be made
    from them. Their values, and the arguments without them. Commands that look at no graph go without, and some take
    those of a run. Raises UsageError."""
    from reflow.sdk.configs import configs_in, configs_of, resolve_configs
    from reflow.sdk.finalise import finalise

    if not configs_of(script.flow_class):
        finalise(script.flow_class, {})
        return {}, arguments
    parser = Parser(add_help=False, allow_abbrev=False)
    for option in ("--config", "--config-value"):
        parser.add_argument(option, nargs=2, action="append", default=[])
    options, rest = parser.parse_known_args(arguments)
    command = command_in(shared_options(), rest)
    if command in OF_A_RUN:
        if options.config or options.config_value:
            raise UsageError(
                f"--config and --config-value can't be set on {command}: a {command} reuses the configurations of its "
                f"origin."
            )
        return {}, rest  # that run's are given by `settle_as`, once it's known which it is
    if command in COMMANDS and not COMMANDS[command].needs_graph:
        return {}, rest
    files, texts = dict(options.config), dict(options.config_value)
    in_environment = configs_in(os.environ)
    try:
        values = resolve_configs(
            script.flow_class,
            {name: file for name, file in in_environment[0].items() if name not in texts} | files,
            {name: text for name, text in in_environment[1].items() if name not in files} | texts,
            str(script.path.absolute().parent),
        )
    except UsageError:
        if not rest or {"-h", "--help"} & set(rest):
            return {}, rest  # only the help is wanted
        raise
    finalise(script.flow_class, values)
    return values, rest


def parse(
    script: FlowScript, parameters: Mapping[str, Parameter], arguments: Sequence[str]
) -> argparse.Namespace:
    """The parsed arguments. Raises UsageError."""
    parser = build_parser(script, parameters)
    options, unknown = parser.parse_known_args(joined(parser, parameters, arguments))
    if not options.command:
        parser.print_help()
        sys.exit(0)
    if unknown:
        known = _options_of(parser, options.command)
        raise UsageError(_about_unknown(unknown[0], options.command, parameters, known, parser.prog))
    return options


def joined(parser: Parser, parameters: Mapping[str, Parameter], arguments: Sequence[str]) -> list[str]:
    """The arguments, `--alpha -1e-3` as `--alpha=-1e-3`: argparse takes what begins with a dash for an option."""
    at = command_at(shared_options(), arguments)
    words, rest = list(arguments[: at + 1]), list(arguments[at + 1 :])
    if words[at:] not in (["run"], ["spin"]):
        return list(arguments)
    flags = {f"--{name}" for name in parameters}
    options = {option for option in _options_of(parser, words[at]) if option.startswith("--")}
    while rest:
        word = rest.pop(0)
        if word in flags and rest and rest[0].startswith("-") and rest[0].partition("=")[0] not in options:
            word = f"{word}={rest.pop(0)}"
        words.append(word)
    return words


def build_parser(script: FlowScript, parameters: Mapping[str, Parameter]) -> Parser:
    """The parser of one flow: its parameters are options of `run`, and take the place of those that are named so."""
    name = script.flow_class.__name__
    prog = f"reflow … {script.path}" if script.alias else f"python {script.path}"
    shared = shared_options()
    doc = (script.flow_class.__doc__ or "").strip()
    top = Parser(
        prog=prog, description=f"{name}: {doc}" if doc else name, parents=[shared], allow_abbrev=False
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    run = commands.add_parser(
        "run",
        help="Run the flow from its start.",
        parents=[shared_options()],  # its own, since an option that makes place would go from all
        allow_abbrev=False,
        conflict_handler="resolve",
    )
    resume = commands.add_parser(
        "resume",
        help="Run again from what failed, reusing what succeeded.",
        parents=[shared],
        allow_abbrev=False,
    )
    spin = commands.add_parser(
        "spin",
        help="Run one step alone, with its inputs of an earlier run.",
        parents=[shared_options()],
        allow_abbrev=False,
        conflict_handler="resolve",
    )
    _spin_options(spin)
    _debug_options(
        commands.add_parser(
            "debug",
            help="Run a task's step again under a debugger, with its real inputs.",
            parents=[shared],
            allow_abbrev=False,
        )
    )
    commands.add_parser("show", help="Show the flow's steps.", parents=[shared], allow_abbrev=False)
    check = commands.add_parser(
        "check", help="Check that the flow can run.", parents=[shared], allow_abbrev=False
    )
    check.add_argument(
        "--warnings",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="As in Metaflow, for pylint, which isn't run here.",
    )
    add_commands(commands, shared)
    for command in (run, resume):
        _running_options(command)
    resume.add_argument(
        "step", nargs="?", metavar="STEP", help="Run again from this step on. Default: what failed."
    )
    resume.add_argument(
        "--origin-run-id", metavar="ID", help="The run to resume. Default: the last one here."
    )
    for command, title in (
        (run, "the flow's parameters"),
        (spin, "the flow's parameters, as that run had them"),
    ):
        defaults = {one.dest: one.default for one in command._actions}
        group = command.add_argument_group(title)
        for parameter in parameters.values():
            group.add_argument(
                f"--{parameter.name}",
                dest=f"parameter:{parameter.name}",
                metavar="VALUE",
                help=_help(parameter),
                action="append" if parameter.multiple else "store",
            )
        left = {one.dest for one in command._actions}
        command.set_defaults(
            **{
                dest: value
                for dest, value in defaults.items()
                if dest not in left and value != argparse.SUPPRESS
            }
        )
    return top


def shared_options() -> Parser:
    shared = Parser(add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    every = shared.add_argument_group(EVERY)
    every.add_argument("--store", metavar="URL", help="A folder, or s3://bucket/prefix?endpoint=…")
    every.add_argument(
        "--with", dest="decospecs", action="append", metavar="DECORATOR", help="Add a decorator to each step."
    )
    every.add_argument(
        "--environment",
        choices=("local", "pypi", "conda"),
        help="As in Metaflow, where @pypi and @conda need it. Here they need nothing, and it changes nothing.",
    )
    every.add_argument("--branch", metavar="NAME", help="The branch of the flow's @project.")
    every.add_argument(
        "--production", action="store_true", help="The production branch of the flow's @project."
    )
    every.add_argument("--quiet", action="store_true", help="Leave out what is said before the run starts.")
    add_their_options(shared)
    return shared


def _running_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--max-workers",
        type=at_least_one,
        default=DEFAULT_MAX_WORKERS,
        metavar="N",
        help="Tasks at once (%(default)s).",
    )
    command.add_argument(
        "--max-num-splits",
        type=at_least_one,
        default=DEFAULT_MAX_NUM_SPLITS,
        metavar="N",
        help="The widest foreach that is let through (%(default)s).",
    )
    command.add_argument(
        "--tag",
        dest="tags",
        type=a_tag,
        metavar="TAG",
        action="append",
        default=[],
        help="A tag for the run; may be repeated.",
    )
    command.add_argument(
        "--namespace", metavar="NAME", help="The namespace that the Client uses in the steps."
    )
    add_their_running_options(command)
    _process_options(command)


def _process_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--run-id-file", type=Path, metavar="FILE", help="Write the run id there.")
    command.add_argument("--runner-attribute-file", type=Path, help=argparse.SUPPRESS)
    command.add_argument(
        "--fresh-process", action="store_true", help="Start a Python for each task, never fork one."
    )
    command.add_argument(
        "--pdb", action="store_true", help="Open pdb where a step raises; one task at a time, on a terminal."
    )
    command.add_argument(
        "--full-traceback", action="store_true", help="Show Reflow's own frames in tracebacks too."
    )


def _spin_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "path",
        metavar="[RUN/]STEP[/TASK]",
        help="Default: the last run here, and of a foreach the task that failed, else the first.",
    )
    command.add_argument(
        "--artifacts-module",
        type=Path,
        metavar="FILE",
        help="A Python file whose dict ARTIFACTS has values in place of the inputs' own.",
    )
    command.add_argument(
        "--skip-decorators",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="Leave out what the decorators of the step and the flow do.",
    )
    command.add_argument(
        "--persist",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="Keep its artifacts; the default.",
    )
    command.set_defaults(max_workers=1, max_num_splits=DEFAULT_MAX_NUM_SPLITS, tags=[])
    add_their_running_options(command)
    _process_options(command)


def _debug_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "task",
        nargs="?",
        metavar="[RUN/]STEP[/TASK]",
        help="Without TASK the failed one of the step; RUN alone: that of the run. Default: the last run here.",
    )
    command.add_argument(
        "--ide",
        nargs="?",
        const="127.0.0.1:5678",
        metavar="HOST:PORT",
        help="Wait for an IDE's debugger there (%(const)s) instead of opening pdb.",
    )


def _help(parameter: Parameter) -> str:
    """argparse reads `%` in a help text as a format."""
    return parameter.help_line.replace("%", "%%")


def _parameters(script: FlowScript) -> Sequence[Parameter]:
    from reflow.sdk.parameters import parameters_of

    return parameters_of(script.flow_class)


def _given(parameters: Mapping[str, Parameter], options: argparse.Namespace) -> dict[str, str | list[str]]:
    values: dict[str, Any] = vars(options)
    texts = {name: values.get(f"parameter:{name}") for name in parameters}
    return {name: text for name, text in texts.items() if text is not None}


def _options_of(parser: Parser, command: str) -> list[str]:
    """The options of a command, with their dashes."""
    below = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return list(below.choices[command]._option_string_actions)


def _about_unknown(
    unknown: str, command: str, parameters: Mapping[str, Parameter], options: Sequence[str], prog: str
) -> str:
    word = unknown.partition("=")[0]
    name = word.lstrip("-")
    if command == "resume" and name in parameters:
        return (
            f"--{name} can't be set on resume: a resume reuses the parameter values of its origin run. "
            f"Use `run` to start anew with another value."
        )
    if not word.startswith("-"):
        return f"{command} takes no argument {word!r} there. See `{prog} {command} --help`."
    meant = did_you_mean(word, options)
    known = ", ".join(f"--{p}" for p in parameters) or "none"
    of_flow = f" The flow's parameters: {known}." if command == "run" and not meant else ""
    return f"{command} has no option {word}{meant}.{of_flow} See `{prog} {command} --help`."
