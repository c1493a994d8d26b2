"""`FlowSpec`: what a user's flow derives from. In a task, its attributes are the artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from reflow.graph.types import Step
from reflow.sdk.entry import note_entry
from reflow.sdk.exceptions import InvalidNextException, MergeArtifactsException
from reflow.sdk.parameters import Parameter
from reflow.sdk.state import NoTask, TaskState
from reflow.sdk.steps import is_step
from reflow.sdk.transition import read_next

if TYPE_CHECKING:
    from reflow.graph.types import Graph
    from reflow.sdk.foreach import ForeachFrame
    from reflow.sdk.graphview import GraphView
    from reflow.sdk.inputs import Inputs

STATE = "_reflow"  # the one attribute of a flow object that is no artifact


class FlowSpec:
    """A flow. Its steps are the methods marked with `@step`, from `start` to `end`.

    What a step sets on `self` is an artifact: kept in the store, and there in the steps after it.
    """

    _reflow: TaskState | NoTask

    def __init__(self, use_cli: bool = True) -> None:
        """`MyFlow()` at a script's end is its command line, and doesn't return."""
        self.__dict__[STATE] = NoTask()
        if use_cli:
            note_entry(type(self))
            from reflow.cli.main import script_main

            script_main(type(self))

    # What a step calls

    def next(self, *targets: Any, **options: Any) -> None:
        """Say which step comes next: the last thing that a step does.

        `self.next(self.a)`, `self.next(self.a, self.b)`, `self.next(self.a, foreach='items')`,
        `self.next({'yes': self.a, 'no': self.b}, condition='answer')`.
        """
        state = self._task("self.next")
        if state.transition is not None:
            raise InvalidNextException(
                f"Step {state.key.step} called self.next(…) twice; it may be called once."
            )
        state.transition = read_next(self, state.key.step, targets, options)

    def merge_artifacts(
        self, inputs: Inputs, exclude: Iterable[str] | None = None, include: Iterable[str] | None = None
    ) -> None:
        """In a join: take over the artifacts on which all inputs that have them agree.

        What the join has set itself is left alone: so set what the inputs disagree on first, or name it in `exclude`.
        """
        # These need the store, and a flow is looked at without one.
        from reflow.sdk import merging
        from reflow.sdk.inputs import Inputs

        state = self._task("merge_artifacts")
        if not state.step.is_join or not isinstance(inputs, Inputs):
            raise MergeArtifactsException(
                f"Step {state.key.step}: merge_artifacts is for joins, and takes their inputs."
            )
        merged = merging.merge(
            state.key.step,
            inputs.tables(),
            include=_names("include", include),
            exclude=_names("exclude", exclude),
            is_set=lambda name: name in self.__dict__ or _of_class(type(self), name) is not _NOTHING,
        )
        state.merged.update(merged)
        state.deleted.difference_update(merged)

    def foreach_stack(self) -> list[tuple[int, int, Any]]:
        """(index, width, item) of each foreach around this task, the outermost first."""
        return self._task("foreach_stack").frames.stack()

    @property
    def index(self) -> int | None:
        """This task's index in the innermost foreach around it; None outside of any."""
        return self._task("index").frames.index

    @property
    def input(self) -> Any:
        """This task's item of the innermost foreach around it; None outside of any."""
        return self._task("input").frames.item

    @property
    def name(self) -> str:
        """The flow's name."""
        return type(self).__name__

    def __iter__(self) -> Iterator[Step]:
        """The flow's steps, outside of a task too: `MyFlow(use_cli=False)`."""
        return iter(_graph_of(self).steps.values())

    # What scripts written for Metaflow look at, although it isn't for them

    @property
    def _graph(self) -> GraphView:
        from reflow.sdk.graphview import GraphView

        return GraphView(_graph_of(self))

    @property
    def _current_step(self) -> str:
        return self._task("_current_step").key.step

    @property
    def _foreach_stack(self) -> list[ForeachFrame]:
        return self._task("_foreach_stack").frames.frames()

    def _task(self, what: str) -> TaskState:
        state = self._reflow
        if isinstance(state, TaskState):
            return state
        raise RuntimeError(f"{what} works only in a running step.")

    # Attributes are artifacts

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__.get(STATE)
        if name.startswith("__") or not isinstance(state, TaskState):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        try:
            value = state.load(name)
        except KeyError:
            raise AttributeError(_missing(type(self).__name__, state, name)) from None
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        found = _of_class(type(self), name)
        if found is _NOTHING or name == STATE:
            self.__dict__[name] = value
            self._reflow.loaded.pop(name, None)
        elif isinstance(found, property) and found.fset is None:
            raise AttributeError(f"self.{name} can only be read: choose another name for the artifact.")
        elif hasattr(type(found), "__set__"):
            object.__setattr__(self, name, value)
        else:
            what = (
                "a step" if is_step(found) else "a method" if callable(found) else "a constant of the class"
            )
            raise AttributeError(
                f"self.{name} is {what} of {type(self).__name__}, which can't be set on self."
            )

    def __delattr__(self, name: str) -> None:
        state = self.__dict__.get(STATE)
        inherited = isinstance(state, TaskState) and state.find(name) is not None
        if name not in self.__dict__ and not inherited:
            raise AttributeError(f"{type(self).__name__} has no artifact {name!r}.")
        self.__dict__.pop(name, None)
        if isinstance(state, TaskState):
            state.loaded.pop(name, None)
            state.deleted.add(name)

    def __getstate__(self) -> Any:
        raise TypeError(
            "a flow object (self) can't be pickled: keep it out of artifacts, and hand functions of the module, "
            "not methods of the flow, to other processes"
        )


_NOTHING = object()


def _graph_of(flow: FlowSpec) -> Graph:
    state = flow._reflow
    if isinstance(state, TaskState):
        return state.graph
    from reflow.graph.build import from_class

    return from_class(type(flow))


def _of_class(flow: type, name: str) -> Any:
    """What the class itself has under a name, never through a descriptor."""
    for part in flow.__mro__:
        if name in part.__dict__:
            return part.__dict__[name]
    return _NOTHING


def constants_of(flow: type) -> dict[str, Any]:
    """The class's plain values, read-only in steps: neither methods nor parameters nor private names."""
    found: dict[str, Any] = {}
    for part in reversed(flow.__mro__):
        if part in (object, FlowSpec):
            continue
        for name, value in vars(part).items():
            if not name.startswith("_") and not _is_machinery(value):
                found[name] = value
            else:
                found.pop(name, None)
    return found


def _is_machinery(value: Any) -> bool:
    return isinstance(value, Parameter) or callable(value) or hasattr(type(value), "__get__")


def _names(option: str, given: Iterable[str] | None) -> frozenset[str]:
    if isinstance(given, str):
        raise MergeArtifactsException(
            f"merge_artifacts({option}=…) takes a list of names, not the text {given!r}."
        )
    return frozenset(given or ())


def _missing(flow: str, state: TaskState, name: str) -> str:
    text = f"{flow} has no artifact {name!r} in step {state.key.step}"
    if state.step.is_join:
        return f"{text}. In a join, artifacts come from its inputs: inputs[0].{name}, or self.merge_artifacts(inputs)."
    return f"{text}: no step before it has set self.{name}."
