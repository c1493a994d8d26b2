"""The two ways in: a script's own command line (`python flow.py run`), and the `reflow` command.

Exit codes: 0 it worked; 1 the flow failed, or what it needs isn't there; 2 the command itself was wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reflow.values.errors import ReflowError, UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from reflow.sdk.flowspec import FlowSpec

FILE_COMMANDS = ("run", "resume", "spin", "debug", "show", "check")


def script_main(flow_class: type[FlowSpec]) -> None:
    """What `MyFlow()` does at the end of a script: take the command line's arguments, do it, and leave."""
    from reflow.cli.flow import FlowScript, flow_command

    script = FlowScript(flow_class, Path(sys.argv[0]), alias=False)
    code = guarded(lambda: flow_command(script, sys.argv[1:]))
    if sys.flags.interactive:
        sys.excepthook = silent_about_exits(sys.excepthook)
    sys.exit(code)


def silent_about_exits(before: Callable[..., object]) -> Callable[..., object]:
    """For `python -i`, which prints a traceback of SystemExit before its prompt."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, SystemExit):
            before(kind, error, trace)

    return hook


def console() -> None:
    """The `reflow` command."""
    sys.exit(guarded(lambda: reflow_command(sys.argv[1:])))


def reflow_command(arguments: Sequence[str]) -> int:
    """`reflow run FILE …`, `reflow resume FILE …`, `reflow apply …`: the exit code."""
    if len(arguments) >= 2 and names_file(arguments[0], arguments[1]):
        check_file(arguments[1])
        return file_command(arguments[0], Path(arguments[1]), arguments[2:])
    from reflow.cli.toplevel import print_help_of, toplevel_command

    if arguments and arguments[0] in FILE_COMMANDS and {"-h", "--help"} & set(arguments[1:]):
        print_help_of(arguments[0])
        return 0
    return toplevel_command(arguments)


def check_file(name: str) -> None:
    """Raises UsageError where there's no such file to read a flow from."""
    file = Path(name)
    if file.is_file():
        return
    if file.is_dir():
        raise UsageError(f"{name} is a folder: name the flow's file in it.")
    from reflow.values.similar import did_you_mean

    if file.with_name(f"{file.name}.py").is_file():
        raise UsageError(f"there is no file {name} (did you mean {name}.py?).")
    beside = [f"{one}" for one in file.parent.glob("*.py")]
    raise UsageError(f"there is no file {name}{did_you_mean(name, beside)}.")


def names_file(command: str, argument: str) -> bool:
    """Whether the command is to be done on a flow's file, rather than on flows by their names."""
    from reflow.cli.commands import COMMANDS

    if command in FILE_COMMANDS:
        return not argument.startswith("-")
    return command in COMMANDS and argument.endswith(".py")


def file_command(command: str, file: Path, rest: Sequence[str]) -> int:
    """A flow's command on a file, in which `metaflow` means Reflow.

    After `run FILE` may follow what follows a script's name in Metaflow: `reflow run FILE resume --max-workers 2`.
    """
    from reflow.cli.commands import COMMANDS
    from reflow.cli.flow import FlowScript, flow_command, shared_options
    from reflow.cli.theirs import command_in
    from reflow.task.load import load_script

    loaded = load_script(file, alias=True)
    if command != "run" or command_in(shared_options(), rest) not in {*FILE_COMMANDS, *COMMANDS}:
        rest = [command, *rest]
    return flow_command(FlowScript(loaded.flow_class, file, alias=True), rest)


def told(error: ReflowError) -> str:
    """An error as its user reads it: files by their short names, and where their code led through several, how."""
    from reflow.launch.sources import shown_name
    from reflow.values.errors import FlowError

    if not isinstance(error, FlowError) or not error.file:
        return f"error: {error}"
    where = f"{shown_name(error.file)}:{error.line}" if error.line else shown_name(error.file)
    traceback = getattr(error, "traceback", "")
    way = traceback if traceback.count('  File "') > 1 else ""
    return f"{way}error: {where}: {error.reason}"


def guarded(command: Callable[[], int]) -> int:
    """Run a command; Reflow's own errors become one message and an exit code, never a traceback."""
    try:
        return command()
    except ReflowError as error:
        sys.stdout.flush()
        from reflow.values.untrusted import plain

        print(plain(told(error)), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone, as in `… | head`: nothing more to say, and nothing to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 1
