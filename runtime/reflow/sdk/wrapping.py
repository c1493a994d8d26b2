"""Step decorators that users write: a generator, or a class. They run around the step, in the task's own process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from reflow.graph.types import Decorator, Kind, Step
from reflow.sdk.deferred import worked_out
from reflow.sdk.steps import is_step
from reflow.values.errors import FlowError

if TYPE_CHECKING:
    from reflow.sdk.flowspec import FlowSpec

PREFIX = "user:"  # of their names in the graph
WRAPPERS = "__reflow_wrappers__"
MUTATORS = "__reflow_mutators__"
USER_SKIP_STEP: dict[str, Any] = {}
"""What a generator yields to skip the step."""
_GENERATOR = 0x20  # of a function's code: see the module inspect
_known: dict[str, Callable[..., UserStepDecorator]] = {}


def name_of(made: Any) -> str:
    """What a user's decorator is called: its module's name before its own, where that isn't the script."""
    module = made.__module__
    return made.__qualname__ if module in ("__main__", "__mp_main__") else f"{module}.{made.__qualname__}"


class UserDecorator:
    """What users' decorators and mutators have in common: a name, and attributes that may wait for configurations."""

    _name = ""
    _begun = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._name = name_of(cls)

    def __init__(self, *given: Any, **named: Any) -> None:
        self._args, self._kwargs = given, named

    def init(self, *given: Any, **named: Any) -> None:
        """Takes the decorator's attributes, once the flow's configurations are known."""
        if given or named:
            raise FlowError(f"@{self._name} takes no attributes: it has no `init` that takes them.")

    def _begin(self, configs: Mapping[str, Any]) -> None:
        """Call `init`, once. Raises FlowError where an attribute can't be worked out."""
        if not self._begun:
            self._begun = True
            where = f"@{self._name}"
            named = worked_out(self._kwargs, configs, where)
            self.init(*(worked_out(one, configs, where) for one in self._args), **named)

    @property
    def decorator_name(self) -> str:
        """The decorator's full name: its module's before its own, where that isn't the script."""
        return self._name

    def _specification(self) -> Decorator:
        """As the run's graph has it."""
        given = {"args": list(self._args)} if self._args else {}
        return Decorator(PREFIX + self._name, {**given, **self._kwargs})


class OfStep(UserDecorator):
    """Used as `@MyDecorator` or `@MyDecorator(key=value)` above `@step`."""

    _wraps = False
    _mutates = False

    def __new__(cls, *given: Any, **named: Any) -> Any:
        if len(given) == 1 and not named and is_step(given[0]):
            made = object.__new__(cls)
            made.__init__()  # type: ignore[misc]
            return made(given[0])
        return object.__new__(cls)

    def __call__(self, function: Any) -> Any:
        if not is_step(function):
            raise FlowError(f"@{self._name} decorates steps: put it above @step.")
        if self._wraps:
            function.__reflow_decorators__.append(self._specification())
            function.__dict__.setdefault(WRAPPERS, []).append(self)
        if self._mutates:
            function.__dict__.setdefault(MUTATORS, []).append(self)
        return function


class UserStepDecorator(OfStep):
    """Derive from this. `init` takes what the decorator is given; the other methods run around the step."""

    skip_step: bool | dict[str, Any] = False
    """Set to True in `pre_step`, or to what `self.next` is to be given besides: the step's own code doesn't run."""

    _wraps = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _known[cls._name] = cls

    def pre_step(self, step_name: str, flow: FlowSpec, inputs: Any = None) -> Callable[..., Any] | None:
        """Before the step. A function that it returns, of `flow` (and a join's `inputs`), runs in the step's place.

        What that function returns may be a dictionary of what `self.next` is to be given besides.
        """
        return None

    def post_step(self, step_name: str, flow: FlowSpec, exception: Exception | None = None) -> Any:
        """After the step. Returns the exception with which the step ends; None lets the flow go on."""
        return exception


class _Generated(UserStepDecorator):
    """Around the step, a generator: what it does before its `yield`, and after."""

    _function: Callable[..., Generator[Any, None, None]]

    def init(self, *given: Any, **named: Any) -> None:
        if given:
            raise FlowError(f"@{self._name} takes named attributes only.")
        self._attributes = named

    def pre_step(self, step_name: str, flow: FlowSpec, inputs: Any = None) -> Callable[..., Any] | None:
        wanted = self._function.__code__.co_argcount
        self._running = self._function(*(step_name, flow, inputs, self._attributes)[:wanted])
        try:
            said = next(self._running)
        except StopIteration:
            raise FlowError(
                f"@{self._name} ended before its yield at step {step_name!r}: a step decorator yields once."
                " To skip the step, yield {}."
            ) from None
        if isinstance(said, dict):
            self.skip_step = said or True
        return said if callable(said) else None

    def post_step(self, step_name: str, flow: FlowSpec, exception: Exception | None = None) -> Any:
        try:
            said = next(self._running) if exception is None else self._running.throw(exception)
        except StopIteration as stop:
            return stop.value
        except Exception as error:
            return error
        return FlowError(f"@{self._name} yields more than once ({said!r}): a step decorator yields once.")


def user_step_decorator(
    function: Callable[..., Generator[Any, None, None]] | None = None, **named: Any
) -> Any:
    """Make a generator of `(step_name, flow, inputs, attributes)` a step decorator: the step runs at its `yield`.

    It may yield a function to run in the step's place, or a dictionary to skip it; the step's exception is raised at
    the `yield`, and where the generator doesn't let it through, the flow goes on.
    """
    if function is None:
        return user_step_decorator
    code = getattr(function, "__code__", None)
    if code is None or not code.co_flags & _GENERATOR or code.co_argcount > 4:
        raise FlowError(
            "@user_step_decorator decorates a generator of (step_name, flow, inputs, attributes), which"
            f" {getattr(function, '__name__', function)!r} is not."
        )
    made = {
        "_function": staticmethod(function),
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
    }
    return type(function.__name__, (_Generated,), made)


def known_decorator(name: str) -> Callable[..., UserStepDecorator] | None:
    """The user's decorator of that name; its module is imported where it names one."""
    if name not in _known and "." in name:
        from importlib import import_module

        try:
            import_module(name.rpartition(".")[0])
        except ImportError:
            return None
    return _known.get(name)


def wrappers_of(function: Any, decorators: Iterable[Decorator]) -> list[UserStepDecorator]:
    """What runs around a step, the innermost first: as the run's graph says. Raises FlowError."""
    live = list(getattr(function, WRAPPERS, ()))
    found = []
    for decorator in decorators:
        if not decorator.name.startswith(PREFIX):
            continue
        name = decorator.name[len(PREFIX) :]
        here = next((one for one in live if one._name == name), None)
        if here is not None:
            live.remove(here)
        else:  # added by --with
            made = known_decorator(name)
            if made is None:
                raise FlowError(f"The decorator {name}, with which the run was started, isn't there.")
            attributes = dict(decorator.attributes)
            here = made(*attributes.pop("args", ()), **attributes)
            here._begin({})
        found.append(here)
    return found


def run_wrapped(
    flow: FlowSpec, step: Step, body: Callable[[], Any], inputs: Any, wrappers: list[UserStepDecorator]
) -> None:
    """Run the step's code with what is around it."""
    if not wrappers:
        body()
        return
    *inner, outer = wrappers
    instead = outer.pre_step(step.name, flow, inputs)
    failure: Exception | None = None
    further: dict[str, Any] = {}
    try:
        if outer.skip_step is not False and outer.skip_step is not None:
            further = outer.skip_step if isinstance(outer.skip_step, dict) else {}
        elif instead is not None:
            answer = instead(flow, inputs) if step.is_join else instead(flow)
            further = answer if isinstance(answer, dict) else {}
        else:
            run_wrapped(flow, step, body, inputs, inner)
    except Exception as error:
        failure = error
    said = outer.post_step(step.name, flow, failure)
    if isinstance(said, tuple):
        said, further = said[0], dict(said[1] or {})
    if isinstance(said, BaseException):
        raise said
    _go_on(flow, step, further)


def _go_on(flow: FlowSpec, step: Step, further: dict[str, Any]) -> None:
    """A step whose own code didn't say where the flow goes on goes where its source says."""
    state: Any = flow._reflow
    if state.transition is not None or step.kind is Kind.END:
        return
    if step.kind is Kind.SWITCH:
        value = str(getattr(flow, step.condition or ""))
        cases = {
            (getattr(flow, step.condition or "") if case == value else case): getattr(flow, target)
            for case, target in step.cases
        }
        flow.next(cases, condition=step.condition)
    else:
        flow.next(*(getattr(flow, target) for target in step.targets), **{"foreach": step.foreach, **further})
