"""The task's own process, from its first instruction to its last. `python -m reflow.task.child` where it isn't forked.

The descriptors: 0 reads nothing, 1 and 2 are the output, CONTROL takes the outcome.
"""

from __future__ import annotations

import os
import sys
import time
from io import TextIOWrapper
from typing import TextIO

from reflow.sdk.artifacts import Records
from reflow.sdk.finalise import finalise
from reflow.store.flowstore import FlowStore
from reflow.store.values import ExceptionInfo
from reflow.task.access import open_store_of
from reflow.task.crash import unwatch, watch_for_crashes
from reflow.task.execute import Attempt, execute, failed, leave_cards
from reflow.task.ground import Ground
from reflow.task.load import LoadedScript, Unloadable, load_script
from reflow.task.outcome import Outcome
from reflow.task.spec import TaskSpec
from reflow.task.terminal import ready
from reflow.values.errors import ReflowError, StoreUnreachable

CONTROL = 3
SPEC = "REFLOW_TASK"  # the environment's variable that holds the TaskSpec


def main() -> None:
    """A fresh process: everything that it needs is in its environment."""
    spec = TaskSpec.from_text(os.environ.pop(SPEC))
    prepare_output()
    ready(spec, CONTROL)
    finish(run_task(spec, None, control=CONTROL), CONTROL)


def run_task(
    spec: TaskSpec,
    loaded: LoadedScript | None,
    digest: str | None = None,
    ground: Ground | None = None,
    control: int | None = None,
) -> Outcome:
    """Run the attempt. `loaded`: the script, where this process was forked from one that has it, with its digest;
    `ground`: what that one has read already."""
    started = time.time()
    if control is not None:
        watch_for_crashes(control)
    try:
        if loaded is None:
            loaded = load_script(spec.script, alias=spec.alias, flow_class=spec.flow)
        elif spec.alias and not loaded.alias:
            from reflow.sdk.alias import install_alias

            install_alias()  # a resume has it where its origin had it
        if digest or not spec.code:  # a package is named by what is in it, and can't have changed
            check_graph(spec, digest or digest_of(loaded))
        store = ground.store if ground else FlowStore(open_store_of(spec), spec.flow)
        manifest = ground.manifest if ground else store.manifest(spec.run)
        finalise(loaded.flow_class, manifest.configs)
    except Unloadable as error:
        hint = lacking(spec, error.missing)
        text = (error.traceback or f"{error}\n") + (f"{hint}\n" if hint else "")
        print(text, file=sys.stderr, flush=True)
        told = ExceptionInfo("Unloadable", f"{error}. {hint}" if hint else str(error), text)
        return Outcome(failed(spec, told, started, final=True), unloadable=True)
    except ReflowError as error:
        print(f"{error}", file=sys.stderr, flush=True)
        told = ExceptionInfo(type(error).__name__, str(error), f"{error}\n")
        lost = str(error) if isinstance(error, StoreUnreachable) else ""
        return Outcome(failed(spec, told, started), lost=lost)
    records = ground.records if ground else Records(store, spec.run)
    return execute(Attempt(spec, loaded.flow_class, store, manifest, records, control))


def lacking(spec: TaskSpec, module: str) -> str:
    """What to do where a module that the script imports isn't in the step's own environment; "" elsewhere."""
    if not (module and (spec.python or spec.packages)):
        return ""
    return (
        f"Step '{spec.key.step}' runs in an environment of its own, without the package of {module!r}: add that to the "
        "step's packages (@pypi, @conda), or import it only within the steps that have it."
    )


def digest_of(loaded: LoadedScript) -> str:
    """The digest of the graph that the loaded class has. Raises Unloadable."""
    from reflow.graph.build import from_class
    from reflow.graph.digest import digest
    from reflow.values.errors import FlowError

    try:
        return digest(from_class(loaded.flow_class))
    except FlowError as error:
        raise Unloadable(error.reason, file=error.file or loaded.script, line=error.line) from None


def check_graph(spec: TaskSpec, digest: str) -> None:
    """Raise Unloadable where the script's steps aren't those that the run was started with."""
    if spec.digest and spec.digest != digest:
        raise Unloadable(
            "the steps in the script aren't those that the run was started with, so it has changed since. "
            "Resume the run to go on with the new ones",
            file=spec.script,
        )


def prepare_output() -> None:
    """Lines leave the process as they are printed, in UTF-8.

    What a fork server has done before, its children needn't: in a fork, each page that is written to is copied.
    """
    sys.stdout = _line_by_line(sys.stdout, 1)
    sys.stderr = _line_by_line(sys.stderr, 2)


def _line_by_line(stream: TextIO | None, descriptor: int) -> TextIO:
    """The stream if it writes to the descriptor, whatever a script has wrapped around it; else a new one that does."""
    try:
        if stream is not None and stream.fileno() == descriptor:
            if isinstance(stream, TextIOWrapper) and not _is_line_by_line(stream):
                stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
            return stream
    except (OSError, ValueError, AttributeError):
        pass
    return open(descriptor, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _is_line_by_line(stream: TextIOWrapper) -> bool:
    return stream.line_buffering and (stream.encoding, stream.errors) == ("utf-8", "backslashreplace")


def finish(outcome: Outcome, control: int) -> None:
    """Send the outcome, do what Python does at its exit, and leave. Never returns."""
    code = 0 if outcome.record.status.finished else 1
    try:
        flush(sys.stdout, sys.stderr)
        unwatch()
        _send(outcome.encode(), control)
        leave_cards(outcome)
        _run_exit_functions()
        flush(sys.stdout, sys.stderr)
    finally:
        os._exit(code)


def _send(data: bytes, control: int) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(control, view) :]
    os.close(control)


def _run_exit_functions() -> None:
    """Threads that aren't daemons are waited for, then what was registered with atexit runs, as in any Python."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    import atexit

    atexit._run_exitfuncs()


def flush(*streams: TextIO | None) -> None:
    """A stream that was closed, or whose reader has gone, has nothing to flush."""
    for stream in streams:
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            pass


if __name__ == "__main__":
    main()
