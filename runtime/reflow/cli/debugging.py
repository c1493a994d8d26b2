"""`debug [RUN[/STEP[/TASK]]]`: a task's step again, with its real inputs, under a debugger. Nothing of it is kept."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from reflow.cli.flow import FlowScript
from reflow.cli.running import find_place, settle_as
from reflow.cli.target import Target
from reflow.cli.within import go_within
from reflow.client.ids import parse_key
from reflow.launch.lastrun import recall
from reflow.launch.locally import Place, open_flow
from reflow.launch.sources import shown_name
from reflow.launch.terminal import has_terminal
from reflow.sdk.artifacts import Records
from reflow.sdk.identity import user_name
from reflow.store.flowstore import FlowStore
from reflow.store.values import Manifest
from reflow.task.debugging import Opened, freely, opened, under_pdb
from reflow.task.execute import Attempt
from reflow.task.spawn import is_debugged
from reflow.task.spec import TaskSpec
from reflow.task.tempdir import TaskFolder
from reflow.values.errors import NotFound, UsageError
from reflow.values.key import TaskKey

DEFAULT_IDE = "127.0.0.1:5678"


def debug(script: FlowScript, options: argparse.Namespace) -> int:
    """0 where the step came to its end, 1 where it raised or was left. Raises UsageError, NotFound."""
    by_ide = options.ide is not None
    if not by_ide and not is_debugged() and not has_terminal():
        raise UsageError(
            "debug needs a terminal to type into. Without one, let an IDE's debugger in with --ide."
        )
    place = find_place(script, options)
    run, step, task = named(options.task, Target(script, None), place)
    store = open_flow(place, script.flow_class.__name__)
    manifest = manifest_of(store, run, place)
    settle_as(script, manifest)
    key = find_task(store, manifest, step, task)
    go_within(script, manifest, key.step, options.typed)
    folder = TaskFolder()
    try:
        ready = opened(attempt_on(script, store, manifest, key, place), folder)
        print(
            f"{store.flow}/{run}/{key.path}: its step again, with its real inputs. Nothing of it is kept.",
            flush=True,
        )
        if by_ide:
            wait_for_ide(options.ide)
        ended = (freely if by_ide or is_debugged() else under_pdb)(ready, str(script.path))
    finally:
        folder.remove()
    print(said_at_end(ready) if ended else f"Step {key.step} didn't come to its end.", flush=True)
    return 0 if ended else 1


def named(text: str | None, target: Target, place: Place) -> tuple[str, str | None, str | None]:
    """Run, step and task, as far as they are named; the run is the last one here where it isn't. Raises UsageError,
    NotFound."""
    parts = text.split("/") if text else []
    if parts[:1] == [target.flow]:
        parts = parts[1:]
    if len(parts) > 3 or not all(parts):
        raise UsageError(f"{text!r} isn't of the form STEP, RUN/STEP or RUN/STEP/TASK, such as 3/train/17.")
    if not parts or (len(parts) < 3 and target.has_step(parts[0])):
        last = recall(place.memory, target.flow or "")
        if last is None:
            raise NotFound(f"No run of {target.flow} was started here. Name one: RUN/STEP/TASK.")
        parts = [last.run, *parts]
    run, step, task = [*parts, None, None][:3]
    assert run is not None
    return run, step, task


def manifest_of(store: FlowStore, run: str, place: Place) -> Manifest:
    """Raises NotFound."""
    try:
        return store.manifest(run)
    except NotFound:
        raise NotFound(
            f"Run {run} of {store.flow} isn't in the store {place.store_url} (set by {place.found_by})."
        ) from None


def find_task(store: FlowStore, manifest: Manifest, step: str | None, task: str | None) -> TaskKey:
    """The task that is named; else the step's failed one, else its first; with no step, the run's failed one.

    Raises NotFound.
    """
    if step is not None and task is not None:
        return parse_key(manifest, step, task)
    if step is not None and step not in manifest.graph.steps:
        raise NotFound(
            f"The run {store.flow}/{manifest.run} has no step {step}; its steps are {', '.join(manifest.graph.steps)}."
        )
    index = sorted(
        (entry for entry in store.index(manifest.run) if step in (None, entry.key.step)),
        key=lambda entry: (entry.status.finished, entry.key),
    )
    if index and (step is not None or not index[0].status.finished):
        return index[0].key
    if step is not None and not manifest.graph.steps[step].foreach_scope:
        return TaskKey(step)  # it never ended, and may be opened all the same if its inputs are there
    what = f"step {step}" if step else "the run"
    raise NotFound(f"In {store.flow}/{manifest.run}, no task of {what} has failed. Name one: RUN/STEP/TASK.")


def attempt_on(
    script: FlowScript, store: FlowStore, manifest: Manifest, key: TaskKey, place: Place
) -> Attempt:
    """As a task of that run would be started, with the code as it is now."""
    spec = TaskSpec(
        store=place.store_url,
        flow=store.flow,
        run=manifest.run,
        key=key,
        script=str(script.path),
        digest="",
        user=user_name(),
        shown=shown_name(script.path),
    )
    return Attempt(spec, script.flow_class, store, manifest, Records(store, manifest.run))


def wait_for_ide(address: str) -> None:
    """Until a debugger has connected. Raises UsageError: no debugpy here, or the port isn't free."""
    try:
        import debugpy  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise UsageError(
            f"--ide needs the package debugpy, which isn't in this Python's environment ({Path(sys.prefix)}): "
            f"`pip install debugpy`."
        ) from None
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        raise UsageError(f"--ide {address}: give a host and a port, such as {DEFAULT_IDE}.")
    try:
        debugpy.listen((host or "127.0.0.1", int(port)))
    except (OSError, RuntimeError) as error:
        raise UsageError(f"--ide {address}: nothing can listen there ({error}).") from None
    print(f"Waiting for an IDE's debugger to attach to {address} …", flush=True)
    debugpy.wait_for_client()


def said_at_end(step: Opened) -> str:
    """How the step ended."""
    done, name = step.state.transition, step.state.key.step
    if done is None:
        return f"Step {name} came to its end."
    return f"Step {name} came to its end; it would go on to {', '.join(done.targets)}."
