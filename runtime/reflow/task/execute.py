"""One attempt of one task, in its own process: read what it needs, run the user's step, keep what it made."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import reflow.sdk.merging  # noqa: F401 - joins need it: so it's imported once, by the fork server
from reflow.graph.types import Graph, Kind
from reflow.sdk.artifacts import Artifacts, Records
from reflow.sdk.currently import Running, current, set_running
from reflow.sdk.exceptions import FailureHandledByCatch, InvalidNextException, their_name
from reflow.sdk.flowspec import STATE, FlowSpec
from reflow.sdk.inputs import Inputs
from reflow.sdk.parameters import parameters_of
from reflow.sdk.state import TaskState
from reflow.sdk.transition import Transition, check_transition, no_items
from reflow.store.errors import Unpicklable
from reflow.store.flowstore import FlowStore
from reflow.store.values import ExceptionInfo, ItemsRef, Manifest, Record, Status
from reflow.task import limit
from reflow.task.currents import extras_of
from reflow.task.dumping import inheritance, new_artifacts, room_left
from reflow.task.outcome import Outcome
from reflow.task.parents import join_keys, parent_of
from reflow.task.spec import TaskSpec
from reflow.task.tempdir import TaskFolder
from reflow.task.trace import describe, has_user_frames
from reflow.values.dataclass import dataclass, replace
from reflow.values.errors import FlowError, ReflowError, StoreError, StoreRefused, StoreUnreachable
from reflow.values.key import TaskKey

if TYPE_CHECKING:
    from types import TracebackType

NEVER_RETRY = 202  # the exit code by which a step says that trying again is pointless


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything that one attempt works with."""

    spec: TaskSpec
    flow_class: type[FlowSpec]
    store: FlowStore
    manifest: Manifest
    records: Records
    control: int | None = None

    @property
    def graph(self) -> Graph:
        return self.manifest.graph


def execute(attempt: Attempt) -> Outcome:
    """Run the attempt to its end. Whatever the user's code raises is in the outcome, and on stderr."""
    started = time.time()
    folder = TaskFolder()
    secrets: tuple[str, ...] = ()
    state: TaskState | None = None
    try:
        secrets = set_environment(attempt)
        state = prepare(attempt, folder)
        begin_cards(secrets)
        limit.heed(attempt.spec.timeout)
        record = _caught(attempt, state) if attempt.spec.fallback else _run(attempt, state)
        limit.heed_no_more(attempt.spec.timeout)
        return Outcome(replace(record, started=started, ended=time.time()))
    except StoreUnreachable as error:
        return Outcome(failed(attempt.spec, _described(attempt, error, ()), started), lost=str(error))
    except BaseException as error:
        limit.heed_no_more(attempt.spec.timeout)
        told = _described(attempt, error, secrets)
        shown = told.full if attempt.spec.full_traceback else told.traceback
        if not _is_quiet(attempt):
            print(shown or told.traceback, file=sys.stderr, flush=True)
        if attempt.spec.post_mortem:
            from reflow.task.postmortem import post_mortem

            post_mortem(error)
        record = failed(attempt.spec, told, started, final=_is_final(error))
        if (
            isinstance(error, Exception)
            and not isinstance(error, StoreError)
            and state
            and state.flow is not None
        ):
            from reflow.task.leaving import with_what_it_left

            record = with_what_it_left(record, state, attempt.store)
        return Outcome(record)
    finally:
        folder.remove()


def failed(spec: TaskSpec, error: ExceptionInfo, started: float, *, final: bool = False) -> Record:
    """The record of an attempt that failed."""
    return replace(
        _blank(spec, Status.FAILED), started=started, ended=time.time(), exception=error, final=final
    )


def _blank(spec: TaskSpec, status: Status) -> Record:
    return Record(
        key=spec.key,
        attempt=spec.attempt,
        launch=spec.launch,
        nonce=os.urandom(8).hex(),
        status=status,
        started=0.0,
        ended=0.0,
        python=sys.version.split()[0],
        host=os.uname().nodename,
        pid=os.getpid(),
    )


def set_environment(attempt: Attempt) -> tuple[str, ...]:
    """What `@environment` and `@secrets` say. The secrets' values, which the parent is told to hide."""
    step = attempt.graph.steps.get(attempt.spec.key.step)
    if step is None or attempt.spec.fallback:
        return ()
    names = {decorator.name for decorator in step.decorators}
    for decorator in step.decorators:
        if decorator.name == "environment":
            os.environ.update({k: str(v) for k, v in decorator.attributes.get("vars", {}).items()})
    if "secrets" not in names:
        return ()
    from reflow.task.hiding import tell_hidden
    from reflow.task.secret_values import load_secrets

    secrets = load_secrets(step.decorators)
    if attempt.control is not None and secrets:
        tell_hidden(secrets, attempt.control)
    return secrets


def _is_quiet(attempt: Attempt) -> bool:
    """`@catch(print_exception=False)`: the failure is handled, and its traceback is in the record."""
    step = attempt.graph.steps.get(attempt.spec.key.step)
    return step is not None and any(
        one.name == "catch" and one.attributes.get("print_exception") is False for one in step.decorators
    )


def begin_cards(secrets: tuple[str, ...]) -> None:
    """From here on the step's cards may be written."""
    cards = current.get("card")
    if cards is not None:
        cards.begin(secrets)


def leave_cards(outcome: Outcome) -> None:
    """Put the step's cards into the store, where it has some and its own code ran. Nothing that they do changes the
    outcome, which has been told."""
    cards = current.get("card")
    if cards is not None and not outcome.lost:
        cards.leave(outcome.record)


def prepare(attempt: Attempt, folder: TaskFolder) -> TaskState:
    """Find out what the task inherits, and set up what the user's code sees."""
    spec, graph, manifest = attempt.spec, attempt.graph, attempt.manifest
    if spec.key.step not in graph.steps:
        raise FlowError(f"The run's graph has no step {spec.key.step!r}.")
    records = attempt.records
    parent = parent_of(graph, records, spec.key)
    set_running(
        Running(
            flow=spec.flow,
            run=spec.run,
            key=spec.key,
            attempt=spec.attempt,
            graph=graph,
            origin_run=manifest.origin.run if manifest.origin else None,
            user=spec.user or manifest.user,
            namespace=spec.namespace or f"user:{spec.user or manifest.user}",
            tags=manifest.tags,
            parameter_names=tuple(parameter.name for parameter in parameters_of(attempt.flow_class)),
            make_tempdir=folder.path,
            extras=extras_of(spec, manifest, records) | cards_of(attempt),
            store=attempt.store.objects,
        )
    )
    return TaskState(
        graph=graph,
        key=spec.key,
        parameters=manifest.parameters,
        records=records,
        before=Artifacts(records, parent) if parent else None,
    )


def cards_of(attempt: Attempt) -> dict[str, Any]:
    """`current.card`, where the step has cards."""
    if not any(one.name == "card" for one in attempt.graph.steps[attempt.spec.key.step].decorators):
        return {}
    from reflow.task.cards import TaskCards

    return {"card": TaskCards(attempt)}


def new_flow(attempt: Attempt, state: TaskState) -> FlowSpec:
    """The `self` of a step."""
    flow = attempt.flow_class.__new__(attempt.flow_class)
    flow.__dict__[STATE] = state
    state.flow = flow
    return flow


def _run(attempt: Attempt, state: TaskState) -> Record:
    flow = new_flow(attempt, state)
    function = getattr(flow, state.key.step)
    inputs = None
    given: Mapping[str, Any] = {}
    if attempt.spec.given:
        from reflow.task.given import artifacts_in

        given = artifacts_in(attempt.spec.given)
    if state.step.is_join:
        keys = join_keys(state.graph, state.records, state.key)
        inputs = Inputs(state.records, state.graph, keys, given_to(keys, given))
    else:
        for name, value in given.items():
            setattr(flow, name, value)
    if any(one.name.startswith("user:") for one in state.step.decorators):
        from reflow.sdk.wrapping import run_wrapped, wrappers_of

        body = partial(function, inputs) if state.step.is_join else function
        wrappers = wrappers_of(function, state.step.decorators)
        run_wrapped(flow, state.step, body, inputs, wrappers)
    elif state.step.is_join:
        function(inputs)
    else:
        function()
    check_transition(state.transition, state.step)
    for variable in _catch_variables(state.step.decorators):
        setattr(flow, variable, None)  # so that a later step can ask whether this one failed
    return _kept(attempt, flow, state, _blank(attempt.spec, Status.SUCCEEDED))


def given_to(keys: Sequence[TaskKey], given: Mapping[str, Any]) -> dict[TaskKey, Mapping[str, Any]]:
    """Of values by `run/step/task`, those of each task."""
    found = {"/".join(name.split("/")[-2:]): values for name, values in given.items()}
    return {key: found[key.path] for key in keys if key.path in found} if found else {}


def _kept(attempt: Attempt, flow: FlowSpec, state: TaskState, record: Record) -> Record:
    """Write the artifacts and the foreach's items; the record then says where they are."""
    own = new_artifacts(flow, state, attempt.store)
    items = _items(attempt, state.transition, room_left(own))
    inherited, base, depth = inheritance(state, own)
    return replace(
        record,
        width=items.width if items else None,
        case=state.transition.case if state.transition else None,
        artifacts=own,
        inherited=inherited,
        base=base,
        base_depth=depth,
        items=items,
        packages=attempt.store.versions(own.values()),
    )


def _items(attempt: Attempt, done: Transition | None, budget: int) -> ItemsRef | None:
    if done is None or done.kind is not Kind.FOREACH or done.foreach is None:
        return None
    items = attempt.store.dump_items(
        done.foreach,
        () if done.items is None else done.items,
        budget=budget,
        limit=attempt.spec.max_num_splits,
    )
    if items.width == 0:
        raise InvalidNextException(no_items(attempt.spec.key.step, done.foreach))
    return items


def _caught(attempt: Attempt, state: TaskState) -> Record:
    """The fallback: the user's code doesn't run; the failure becomes an artifact, and the flow goes on."""
    spec, step = attempt.spec, state.step
    if step.kind in (Kind.FOREACH, Kind.SWITCH):
        raise FlowError(
            f"Step {step.name} failed, and @catch can't make up what its self.next(…) needs: "
            f"it works on steps without {step.kind}."
        )
    failures = attempt.store.failures(spec.run, spec.key)
    told = failures[-1].exception if failures else None
    told = told or ExceptionInfo("Failure", "the attempt left no word of what went wrong", "")
    flow = new_flow(attempt, state)
    for variable in _catch_variables(step.decorators):
        setattr(
            flow,
            variable,
            FailureHandledByCatch(
                their_name(told.type, spec.alias), told.message, told.traceback, spec.attempt - 1
            ),
        )
    record = _kept(attempt, flow, state, _blank(spec, Status.CAUGHT))
    left = dict(failures[-1].artifacts) if failures else {}  # what the step had set when it failed goes on
    inherited = {name: held for name, held in record.inherited.items() if name not in left}
    packages = {**(failures[-1].packages if failures else {}), **record.packages}
    return replace(
        record,
        exception=told,
        artifacts={**left, **record.artifacts},
        inherited=inherited,
        packages=packages,
    )


def _catch_variables(decorators: Any) -> list[str]:
    found: list[Mapping[str, Any]] = [d.attributes for d in decorators if d.name == "catch"]
    return [str(attributes["var"]) for attributes in found if attributes.get("var")]


def _is_final(error: BaseException) -> bool:
    """Whether another attempt is in vain: the user's code says so, or the store takes nothing more from us."""
    return isinstance(error, StoreRefused) or (isinstance(error, SystemExit) and error.code == NEVER_RETRY)


def _described(attempt: Attempt, error: BaseException, secrets: tuple[str, ...]) -> ExceptionInfo:
    told = _told(attempt, error)
    if has_user_frames(_trace(error)):
        from reflow.task.locals import locals_of

        told = replace(told, locals=locals_of(error, secrets))
    if not secrets:
        return told
    from reflow.task.hiding import hidden

    return replace(
        told,
        message=hidden(told.message, secrets),
        traceback=hidden(told.traceback, secrets),
        full=hidden(told.full, secrets),
    )


def _told(attempt: Attempt, error: BaseException) -> ExceptionInfo:
    shown = attempt.spec.shown or attempt.spec.script
    told = describe(error, attempt.spec.script, shown)
    if isinstance(error, SystemExit):
        message = f"the step called sys.exit({error.code!r}) instead of returning"
        return replace(told, message=message, traceback=f"{told.traceback.rstrip()}: {message}\n")
    if isinstance(error, ReflowError) and not has_user_frames(_trace(error)):
        return replace(told, traceback=f"{told.type}: {_where(attempt, error, shown)}: {told.message}\n")
    if not has_user_frames(_trace(error)):
        return replace(told, traceback=told.full)  # a fault of ours, or an interruption: all there is to see
    return told


def _where(attempt: Attempt, error: ReflowError, shown: str) -> str:
    """The line that an error of ours is about: of the artifact that can't be kept, else of the step."""
    step = attempt.graph.steps.get(attempt.spec.key.step)
    if step is None:
        return shown
    code = getattr(getattr(attempt.flow_class, step.name, None), "__code__", None)
    if isinstance(error, Unpicklable) and error.artifact and code is not None:
        from reflow.task.setting import line_that_sets

        line = line_that_sets(code, error.artifact)
        if line is not None:
            is_script = os.path.abspath(code.co_filename) == os.path.abspath(attempt.spec.script)
            return f"{shown if is_script else code.co_filename}:{line}"
    return f"{shown}:{step.line}" if step.line else shown


def _trace(error: BaseException) -> TracebackType | None:
    return error.__traceback__
