"""One task's step, run again in this very process with its real inputs, for a debugger. Nothing of it is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from reflow.sdk.flowspec import FlowSpec
from reflow.sdk.inputs import Inputs
from reflow.sdk.state import TaskState
from reflow.sdk.transition import check_transition
from reflow.task.execute import Attempt, new_flow, prepare, set_environment
from reflow.task.parents import join_keys
from reflow.task.postmortem import post_mortem, users_part
from reflow.task.tempdir import TaskFolder
from reflow.task.trace import describe
from reflow.values.dataclass import dataclass
from reflow.values.errors import NotFound


@dataclass(frozen=True, slots=True)
class Opened:
    """A step that is ready to be called: `call()` runs the user's code. `flow` is its `self`."""

    flow: FlowSpec
    state: TaskState
    call: Callable[[], Any]


def opened(attempt: Attempt, folder: TaskFolder) -> Opened:
    """The task's inputs, and its step as the code is now. Raises NotFound where its inputs aren't all there."""
    set_environment(attempt)
    state = prepare(attempt, folder)
    flow = new_flow(attempt, state)
    function = getattr(flow, state.key.step)
    if not state.step.is_join:
        return Opened(flow, state, function)
    keys = join_keys(state.graph, state.records, state.key)
    finished = {entry.key for entry in attempt.store.index(attempt.spec.run) if entry.status.finished}
    for key in keys:
        if key not in finished:
            raise NotFound(f"{state.key.path} takes its input from {key.path}, which hasn't finished.")
    inputs = Inputs(state.records, state.graph, keys)
    return Opened(flow, state, partial(function, inputs))


def under_pdb(step: Opened, script: str) -> bool:
    """Stop at the step's first line; where it raises, open pdb once more, there. Whether the step came to its end."""
    from bdb import BdbQuit
    from pdb import Pdb

    debugger = Pdb(skip=["reflow.*"])
    debugger.reset()
    try:
        sys.settrace(
            debugger.trace_dispatch
        )  # as its runcall, which doesn't tell a step's end from a user's `quit`
        try:
            step.call()
        finally:
            sys.settrace(None)
        check_transition(step.state.transition, step.state.step)
    except BdbQuit:
        return False
    except BaseException as error:
        tell(error, script)
        post_mortem(error)
        return False
    return True


def freely(step: Opened, script: str) -> bool:
    """Run the step for a debugger that is here already. What it raises goes through, so that the debugger sees it as
    nobody's to catch; at the end it is told as in a run."""
    sys.excepthook = lambda kind, error, trace: tell(error, script)
    step.call()
    check_transition(step.state.transition, step.state.step)
    return True


def tell(error: BaseException, script: str) -> None:
    """The user's frames, on stderr."""
    trace = users_part(error.__traceback__)
    told = describe(error, script)
    print(told.traceback if trace else told.full, file=sys.stderr, flush=True)
