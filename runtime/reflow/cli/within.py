"""A command that runs a step's code in its own process goes on in the step's environment, where it has one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from reflow.cli.flow import FlowScript
from reflow.launch.preparing import prepare
from reflow.launch.request import Flow
from reflow.store.values import Manifest
from reflow.task.spawn import is_debugged, within

_CONSOLE = "from reflow.cli.main import console; console()"


def go_within(script: FlowScript, manifest: Manifest, step: str, typed: Sequence[str]) -> None:
    """Become the Python of the step's environment, with this very command line; the versions are those of the run.
    `typed`: the script's arguments.

    Nothing where it has none, or is there already. An IDE's debugger in this process can't come along: then it's only
    said. Raises FlowError where the environment can't be made.
    """
    from reflow.graph.build import from_class

    flow = Flow(script.flow_class.__name__, script.path, script.alias, from_class(script.flow_class), "")
    prepared = prepare(
        flow, lambda what: print(what, flush=True), origin=manifest.environments, running={step}
    )
    told = prepared.of(step)
    if not told or sys.executable == told["python"]:
        return
    if is_debugged():
        print(f"Step {step} has an environment of its own; here its code runs with this Python.", flush=True)
        return
    sys.stdout.flush()
    sys.stderr.flush()
    arguments = again(script, typed)
    os.execve(told["python"], [told["python"], *arguments], within(**told, outer=os.environ))


def again(script: FlowScript, typed: Sequence[str]) -> list[str]:
    """What this process was started with, behind its Python."""
    if not script.alias:
        return sys.argv
    return ["-P", "-c", _CONSOLE, "run", str(script.path), *typed]  # loading the file has changed sys.argv
