"""`Runner`: a flow's file, run and resumed from a program."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from reflow.runner.executing import ExecutingRun
from reflow.store.open import find_store
from reflow.values.errors import UsageError

FOR_AN_ID = 60.0  # seconds
_REFLOW = "import sys; from reflow.cli.main import console; sys.exit(console())"


class Runner:
    """Runs a flow's file as `reflow run FILE` does, in which `metaflow` means Reflow too.

    Runner("flow.py", store="s3://…").run(alpha=0.5, max_workers=4, tags=["nightly"])
    """

    def __init__(
        self,
        flow_file: str | os.PathLike[str],
        *,
        show_output: bool = True,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        store: str | None = None,
    ) -> None:
        """`show_output`: print the command's output once it has ended; `env`: variables on top of this process's.

        Raises UsageError where there's no such file.
        """
        self.flow_file = Path(flow_file).absolute()
        if not self.flow_file.is_file():
            raise UsageError(f"{os.fspath(flow_file)}: there is no such file.")
        self._show_output = show_output
        self._env = {**os.environ, **(env or {})}
        self._cwd = Path(cwd) if cwd is not None else Path.cwd()
        self._store = store
        self._folder = tempfile.TemporaryDirectory(prefix="reflow-runner-", ignore_cleanup_errors=True)
        self._started: list[ExecutingRun] = []

    def run(self, **options: Any) -> ExecutingRun:
        """Run the flow to its end. Its parameters and the options of `run`, with underscores for dashes."""
        return self._to_the_end(self._start("run", [], options))

    def resume(self, step_to_rerun: str | None = None, **options: Any) -> ExecutingRun:
        """Resume to the end: the last run here, or the one that `origin_run_id` names."""
        return self._to_the_end(self._start("resume", [step_to_rerun] if step_to_rerun else [], options))

    async def async_run(self, **options: Any) -> ExecutingRun:
        """Start the flow; await its `wait()`. It has its id when this returns, or has ended without one."""
        return await self._with_id(self._start("run", [], options))

    async def async_resume(self, step_to_rerun: str | None = None, **options: Any) -> ExecutingRun:
        """As `async_run`."""
        return await self._with_id(self._start("resume", [step_to_rerun] if step_to_rerun else [], options))

    def _start(self, command: str, arguments: list[str], options: Mapping[str, Any]) -> ExecutingRun:
        folder = Path(self._folder.name) / str(len(self._started) + 1)
        folder.mkdir()
        line = [sys.executable, "-c", _REFLOW, command, str(self.flow_file), *arguments]
        line += ["--runner-attribute-file", str(folder / "attributes"), *as_options(options)]
        line += ["--store", self._store] if self._store else []
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            process = subprocess.Popen(
                line, cwd=self._cwd, env=self._env, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
        url = find_store(self._store, self.flow_file, self._cwd, self._env).url
        started = ExecutingRun(process, folder, str(self._cwd / url) if "://" not in url else url, self)
        self._started.append(started)
        return started

    def _to_the_end(self, started: ExecutingRun) -> ExecutingRun:
        try:
            started.process.wait()
        except BaseException:  # Ctrl-C, in a notebook its stop button
            started.terminate()
            raise
        if self._show_output:
            print(started.stdout, end="")
            print(started.stderr, end="", file=sys.stderr)
        return started

    async def _with_id(self, started: ExecutingRun) -> ExecutingRun:
        await asyncio.get_running_loop().run_in_executor(None, started.id_within, FOR_AN_ID)
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


def as_options(options: Mapping[str, Any]) -> Iterator[str]:
    """`max_workers=4` as `--max-workers 4`; `tags` and `decospecs` (for `--with`) take lists; None: not given."""
    for name, value in options.items():
        flag = {"tags": "--tag", "decospecs": "--with"}.get(name, "--" + name)
        if name in OPTIONS:
            flag = "--" + name.replace("_", "-")
        if value is None or (value is False and name in SWITCHES):
            continue
        if value is True and name in SWITCHES:
            yield flag
            continue
        for one in value if name in ("tags", "decospecs") and not isinstance(value, str) else [value]:
            yield f"{flag}={one if isinstance(one, str) else json.dumps(one)}"


SWITCHES = frozenset({"fresh_process", "full_traceback", "quiet"})
OPTIONS = SWITCHES | {"max_workers", "max_num_splits", "origin_run_id", "namespace"}
