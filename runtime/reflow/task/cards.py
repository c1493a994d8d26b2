"""The cards of the task that runs: what it appends, shown while it runs where it asks for it, and left at its end.

A card's failure is a warning in the task's output, never the task's.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from reflow.cards.collecting import CardCollector, CardComponents, CardSpec, warn
from reflow.cards.kinds import MetaflowCard, kind_of
from reflow.cards.page import page
from reflow.cards.parts import escape, failure, rendered, shortened
from reflow.graph.types import Decorator, Graph
from reflow.store import cards as stored
from reflow.store.values import IndexEntry, Record, Status
from reflow.task.hiding import hidden
from reflow.values.errors import ReflowError

if TYPE_CHECKING:
    from threading import Thread

    from reflow.client.task import Task
    from reflow.task.execute import Attempt

_SHARE = 10  # of the time between two refreshes, what rendering may take at most: a tenth
_LAST = 10.0  # seconds that a card written while the step ran is waited for at its end


class _TooLong(BaseException):
    """The card's time is up. Not an Exception: users' code may catch those."""


class TaskCards(CardCollector):
    """`current.card` of a task that really runs."""

    def __init__(self, attempt: Attempt) -> None:
        """Writes nothing yet: under a debugger it never does."""
        step = attempt.graph.steps[attempt.spec.key.step]
        declared = [one for one in reversed(step.decorators) if one.name == "card"]  # as written
        super().__init__([spec_of(number, one) for number, one in enumerate(declared)], self._shown)
        self._attempt = attempt
        self._has_begun = False
        self._hidden: list[str] = []
        self._due: dict[int, float] = {}  # by a card's number, when it may be shown again
        self._writing: Thread | None = None
        self._began = time.time()

    def begin(self, secrets: Sequence[str]) -> None:
        """From here on cards may be written. `secrets`: values that none may show."""
        self._has_begun = True
        self._hidden = [form for one in secrets if one for form in _forms(one)]

    def leave(self, record: Record) -> None:
        """The attempt has ended, and this is its record: put its cards into the store."""
        if not self._has_begun or self._attempt.spec.fallback:  # which runs no code of the step
            return
        if self._writing is not None:
            self._writing.join(_LAST)
        for card in self.cards():
            try:
                html = self._last(card, record)
                if html is not None:
                    self._put(card.spec, html)
            except (Exception, SystemExit, _TooLong) as error:
                warn(f"{_name(card.spec)} couldn't be kept: {_said(error, card.spec)}.")

    def _last(self, card: CardComponents, record: Record) -> str | None:
        spec = card.spec
        is_whole = record.status.finished or (spec.save_errors and spec.type == "default")
        if not is_whole and not spec.save_errors:
            return None
        failed = record.exception
        told, trace = (failed.line, failed.traceback) if failed else ("The step failed", "")
        shown: list[str] = []  # the components as far as there was time for them: they're rendered once
        try:
            with _limit(spec.timeout):
                if is_whole:
                    return self._made(card, shown).render(_task(self._attempt, record))
                _render(card, shown)
        except (Exception, SystemExit, _TooLong) as error:
            warn(f"{_name(spec)} couldn't be made: {_said(error, spec)}.")
            if is_whole:
                told, trace = _said(error, spec), _trace(error)
        return _error_page(spec, shown, told, trace) if spec.save_errors else None

    def _made(self, card: CardComponents, shown: list[str]) -> MetaflowCard:
        if card.spec.editable:
            _render(card, shown)
        kind = kind_of(card.spec.type)
        return kind(
            options=dict(card.spec.options), components=shown, graph=graph_of(self._attempt.graph), flow=None
        )

    # While the step runs

    def _shown(self, card: CardComponents, data: Any, force: bool) -> None:
        """`refresh`: the page is made here, since the step may go on to change what it shows, and written aside."""
        now = time.monotonic()
        is_writing = self._writing is not None and self._writing.is_alive()
        is_due = now >= self._due.get(card.spec.number, 0.0) or force
        if not self._has_begun or is_writing or not is_due:
            return
        try:
            if not kind_of(card.spec.type).RUNTIME_UPDATABLE:
                return
            with _limit(card.spec.timeout):
                html = self._made(card, []).render_runtime(_task(self._attempt, self._running()), data)
            self._aside(lambda: self._put(card.spec, html))
        except _StepsOwn as interruption:
            raise interruption.error from None
        except (Exception, SystemExit, _TooLong) as error:
            warn(f"{_name(card.spec)} couldn't be refreshed: {_said(error, card.spec)}.")
        ended = time.monotonic()
        self._due[card.spec.number] = ended + max(card.spec.refresh_interval, _SHARE * (ended - now))

    def _aside(self, write: Callable[[], None]) -> None:
        def work() -> None:
            try:
                write()
            except Exception as error:
                warn(f"A card couldn't be written: {error}")

        from threading import Thread

        self._writing = Thread(target=work, name="reflow-card", daemon=True)
        self._writing.start()

    def _running(self) -> Record:
        spec, now = self._attempt.spec, time.time()
        return Record(spec.key, spec.attempt, spec.launch, "", Status.FAILED, self._began, now)

    def _put(self, spec: CardSpec, html: str) -> None:
        if not isinstance(html, str):
            raise ReflowError(f"its render gave a {type(html).__name__} instead of text")
        one = self._attempt.spec
        name = stored.object_name(spec.number, spec.type, spec.id)
        stored.put(self._attempt.store, one.run, one.key, one.launch, name, hidden(html, self._hidden))


def spec_of(number: int, declared: Decorator) -> CardSpec:
    """What a `@card` says."""
    given = {name: value for name, value in declared.attributes.items() if value is not None}
    kind = str(given.get("type", "default"))
    try:
        editable = kind_of(kind).ALLOW_USER_COMPONENTS
    except ReflowError:
        editable = True
    return CardSpec(
        number,
        kind,
        given.get("id"),
        dict(given.get("options", {})),
        float(given.get("timeout", 45)),
        bool(given.get("customize", False)),
        bool(given.get("save_errors", True)),
        float(given.get("refresh_interval", 5)),
        editable,
    )


def graph_of(graph: Graph) -> dict[str, dict[str, Any]]:
    """The flow's steps as plain values, for card types: kind, what they lead to, their docs' first lines."""
    return {
        step.name: {
            "type": str(step.kind),
            "next": list(step.targets),
            "doc": next(iter((step.doc or "").strip().splitlines()), ""),
        }
        for step in graph.steps.values()
    }


def _task(attempt: Attempt, record: Record) -> Task:
    """The task as the Client will show it once its record is in the store."""
    from reflow.client.place import Place
    from reflow.client.task import Task
    from reflow.store.table import ArtifactTable

    spec, store = attempt.spec, attempt.store
    place = Place(store.objects.url, store.objects, {spec.flow: store})
    entry = IndexEntry(spec.key, spec.attempt, record.status)
    path = f"{spec.flow}/{spec.run}/{spec.key.path}"
    task = Task(path, _place=place, _entry=entry, _namespace_check=False)
    task.__dict__.update(_record=record, _table=ArtifactTable(record, attempt.records.find), _holder=spec.run)
    return task


def _render(card: CardComponents, shown: list[str]) -> None:
    """Adds the card's components. Where the time is up, the last one says so in its place."""
    for one in card:
        shown.append(
            failure(f"{type(one).__name__} can't be shown", "The card's time was up before it was made.")
        )
        shown[-1] = rendered(one)


def _error_page(spec: CardSpec, shown: Sequence[str], told: str, trace: str) -> str:
    error = failure(told, shortened(trace, 50_000))
    return page(_name(spec), "\n".join([f"<h1>{escape(_name(spec))}</h1>{error}", *shown]))


def _name(spec: CardSpec) -> str:
    return f"The card {spec.id or spec.type}"


def _said(error: BaseException, spec: CardSpec) -> str:
    if isinstance(error, _TooLong):
        return f"it took more than {spec.timeout:g} seconds (@card(timeout=…))"
    if isinstance(error, ReflowError):
        return str(error).rstrip(".")
    return f"{type(error).__name__}: {error}"


def _trace(error: BaseException) -> str:
    from traceback import format_exception

    return "" if isinstance(error, ReflowError | _TooLong) else "".join(format_exception(error)).rstrip()


def _forms(secret: str) -> Iterator[str]:
    """A secret as it may be found in a page."""
    yield from {secret, escape(secret), escape(repr(secret)[1:-1])}


class _StepsOwn(BaseException):
    """The step itself is interrupted while a card is made: by its own time limit."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Raises _TooLong within, after so many seconds. Without effect in other threads than the main one."""

    began = time.monotonic()

    def time_is_up(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - began >= seconds - 0.05:
            raise _TooLong
        if callable(before):  # the step's own time limit
            try:
                before(number, frame)
            except Exception as error:
                raise _StepsOwn(error) from None

    try:
        before = signal.signal(signal.SIGALRM, time_is_up)
    except ValueError:  # another thread
        yield
        return
    others, _ = signal.setitimer(signal.ITIMER_REAL, seconds)  # such as the step's own time limit
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if others:
            signal.setitimer(signal.ITIMER_REAL, max(others - (time.monotonic() - began), 0.001))
