"""`Runner`: a flow's file, run and resumed from a program."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from reflow.runner.command import Command
from reflow.runner.executing import ExecutingRun, ExecutingTask
from reflow.store.open import find_store
from reflow.values.dataclass import dataclass
from reflow.values.errors import UsageError

Started = TypeVar("Started", bound=ExecutingRun)
FOR_AN_ID = 3600.0  # seconds: the packages of its steps may have to be installed first
_REFLOW = "import sys; from reflow.cli.main import console; sys.exit(console())"


class Runner:
    """Runs a flow's file as `reflow run FILE` does, in which `metaflow` means Reflow too.

    Runner("flow.py", store="s3://…").run(alpha=0.5, max_workers=4, tags=["nightly"])
    """

    def __init__(
        self,
        flow_file: str | os.PathLike[str],
        show_output: bool = True,
        profile: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        file_read_timeout: float = FOR_AN_ID,
        *,
        store: str | None = None,
        **kwargs: Any,
    ) -> None:
        """`show_output`: print the output as it comes; `env`: variables on top of this process's; `file_read_timeout`:
        seconds that a run may take to get its id. `kwargs`: what stands before the command, such as `decospecs`,
        `config`, `config_value`, `branch`, `production`; what only Metaflow has (`profile`, `pylint`, `metadata`, …)
        is taken and changes nothing.

        Raises UsageError where there's no such file, and TypeError for an argument that isn't known.
        """
        unknown = sorted(set(kwargs) - OF_ALL - OF_METAFLOW)
        if unknown:
            raise TypeError(f"{type(self).__name__} takes no {unknown[0]!r}.")
        self.flow_file = str(Path(flow_file).absolute())
        if not Path(self.flow_file).is_file():
            raise UsageError(f"{os.fspath(flow_file)}: there is no such file.")
        self.show_output = show_output
        self.env_vars = {**os.environ, **(env or {})}
        self.cwd = os.fspath(cwd) if cwd is not None else str(Path.cwd())
        self.file_read_timeout = file_read_timeout
        self.top_level_kwargs = {name: value for name, value in kwargs.items() if name not in OF_METAFLOW}
        self._store = store
        self._folder = tempfile.TemporaryDirectory(prefix="reflow-runner-", ignore_cleanup_errors=True)
        self._started: list[ExecutingRun] = []

    def run(self, **options: Any) -> ExecutingRun:
        """Run the flow to its end. Its parameters and the options of `run`, with underscores for dashes.

        Raises RunNotStarted, a RuntimeError, where the command gave no run.
        """
        return self._to_the_end(self._start("run", [], options))

    def resume(self, step_to_rerun: str | None = None, **options: Any) -> ExecutingRun:
        """Resume to the end: the last run here, or the one that `origin_run_id` names. Raises RunNotStarted."""
        return self._to_the_end(self._start("resume", [step_to_rerun] if step_to_rerun else [], options))

    def spin(self, pathspec: str, **options: Any) -> ExecutingTask:
        """Run one step alone to its end, with its inputs of an earlier run: `STEP`, `RUN/STEP` or `RUN/STEP/TASK`.

        Raises RunNotStarted.
        """
        return self._to_the_end(self._start("spin", [pathspec], options, ExecutingTask))

    async def async_spin(self, pathspec: str, **options: Any) -> ExecutingTask:
        """As `spin`, started only; await its `wait()`."""
        return await self._with_id(self._start("spin", [pathspec], options, ExecutingTask))

    async def async_run(self, **options: Any) -> ExecutingRun:
        """Start the flow; await its `wait()`. It has its id when this returns. Raises RunNotStarted."""
        return await self._with_id(self._start("run", [], options))

    async def async_resume(self, step_to_rerun: str | None = None, **options: Any) -> ExecutingRun:
        """As `async_run`."""
        return await self._with_id(self._start("resume", [step_to_rerun] if step_to_rerun else [], options))

    def _start(
        self,
        command: str,
        arguments: list[str],
        options: Mapping[str, Any],
        kind: type[Started] = ExecutingRun,  # type: ignore[assignment]
    ) -> Started:
        folder = Path(self._folder.name) / str(len(self._started) + 1)
        folder.mkdir()
        attributes = folder / "attributes"
        before = {name: value for name, value in self.top_level_kwargs.items() if name in BEFORE}
        after = {name: value for name, value in self.top_level_kwargs.items() if name not in BEFORE}
        top = list(as_options(before))
        line = [sys.executable, "-c", _REFLOW, *(["run"] if top else [command]), self.flow_file]
        line += [*top, *([command] if top else []), *arguments]
        parameters = {} if command == "resume" else declared_parameters(Path(self.flow_file))
        line += [
            "--runner-attribute-file",
            str(attributes),
            *as_options(after),
            *as_options(options, parameters),
        ]
        line += ["--store", self._store] if self._store else []
        cwd = Path(self.cwd)
        running = Command(line, cwd, self.env_vars, folder)
        url = find_store(self._store, Path(self.flow_file), cwd, self.env_vars).url
        started = kind(self, running, attributes, str(cwd / url) if "://" not in url else url)
        self._started.append(started)
        return started

    def _to_the_end(self, started: Started) -> Started:
        try:
            started.command_obj.sync_wait(shown=self.show_output)
        except BaseException:  # Ctrl-C, in a notebook its stop button
            started.terminate()
            raise
        if started.run_id is None:
            raise started.not_started()
        return started

    async def _with_id(self, started: Started) -> Started:
        await asyncio.get_running_loop().run_in_executor(
            None, started.command_obj.is_over_or, lambda: started.run_id is not None, self.file_read_timeout
        )
        if started.run_id is None:
            started.terminate()
            raise started.not_started()
        return started

    def cleanup(self) -> None:
        """Stop what still runs, and remove the files of its output."""
        for started in self._started:
            started.terminate()
        self._folder.cleanup()

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cleanup()

    async def __aenter__(self) -> Runner:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cleanup()


@dataclass(frozen=True, slots=True)
class Declared:
    """A parameter, as the flow's file has it: its name with its dashes, and whether it's given once for each item."""

    name: str
    multiple: bool


def declared_parameters(file: Path) -> dict[str, Declared]:
    """The parameters that the file itself declares, by their names with underscores for dashes."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return {}  # the command will say so
    found = {}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _called(call) in ("Parameter", "IncludeFile"):
            words = {word.arg: word.value for word in call.keywords}
            name = getattr(call.args[0] if call.args else words.get("name"), "value", None)
            if isinstance(name, str):
                multiple = getattr(words.get("multiple"), "value", None) is True
                found[name.replace("-", "_")] = Declared(name, multiple)
    return found


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def as_options(options: Mapping[str, Any], parameters: Mapping[str, Declared] | None = None) -> Iterator[str]:
    """`max_workers=4` as `--max-workers 4`; `tags` and `decospecs` (for `--with`) take lists, `config` and
    `config_value` pairs of a name and a value; None: not given. The flow's own `parameters` come before options that
    are named so.
    """
    for name, value in options.items():
        own = (parameters or {}).get(name)
        if own is not None:
            if value is not None:
                several = own.multiple and isinstance(value, list | tuple)
                yield from (f"--{own.name}={_text(one)}" for one in (value if several else [value]))
            continue
        if value is None or name == "max_log_size" or (value is False and name in SWITCHES):
            continue
        if name in ("config", "config_value"):
            for key, given in value.items() if isinstance(value, Mapping) else value:
                yield from ("--" + name.replace("_", "-"), str(key), _text(given))
            continue
        flag = {"tags": "--tag", "decospecs": "--with"}.get(name, "--" + name)
        if name in OPTIONS:
            flag = "--" + name.replace("_", "-")
        if isinstance(value, bool) and name in SWITCHES | YES_OR_NO:
            yield flag if value else flag.replace("--", "--no-", 1)
            continue
        for one in value if name in ("tags", "decospecs") and not isinstance(value, str) else [value]:
            yield f"{flag}={_text(one)}"


def _text(value: Any) -> str:
    if isinstance(value, os.PathLike):
        return str(value)
    return value if isinstance(value, str) else json.dumps(value)


SWITCHES = frozenset({"fresh_process", "full_traceback", "production", "quiet"})
YES_OR_NO = frozenset({"persist", "skip_decorators"})
OPTIONS = (
    SWITCHES
    | YES_OR_NO
    | {
        "artifacts_module",
        "branch",
        "environment",
        "max_num_splits",
        "max_workers",
        "namespace",
        "origin_run_id",
        "run_id_file",
    }
)
OF_ALL = frozenset(
    {"branch", "config", "config_value", "decospecs", "environment", "production", "quiet", "tags"}
)
"""Those that are for `run` and `resume` alike."""
BEFORE = frozenset({"branch", "environment", "production", "quiet"})
"""Those of them that stand before the command, since a parameter may be named so."""
OF_METAFLOW = frozenset(
    {
        "datastore",
        "datastore_root",
        "event_logger",
        "force_rebuild_environments",
        "metadata",
        "monitor",
        "package_suffixes",
        "pylint",
    }
)
"""Options that Metaflow has, and that mean nothing here."""
