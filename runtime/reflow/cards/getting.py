"""Reading cards: what the Client has for them, and the commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from typing import Any

from reflow.cards.parts import escape
from reflow.client.errors import MetaflowInvalidPathspec
from reflow.client.ids import parse_key
from reflow.client.place import place
from reflow.client.task import Task
from reflow.store import cards as stored
from reflow.store.flowstore import FlowStore
from reflow.values.errors import NotFound
from reflow.values.key import TaskKey

_HASH = 20  # characters of a card's hash


class Card:
    """One card: an HTML file. It's read when its HTML is asked for."""

    def __init__(self, store: FlowStore, name: stored.CardName, pathspec: str, origin: str | None) -> None:
        """`origin`: the pathspec of the task that the card's task was cloned from."""
        self._store, self._name, self._pathspec = store, name, pathspec
        self.origin_pathspec = origin
        self.from_resumed = origin is not None

    @property
    def type(self) -> str:
        """The card's type: default, blank, html …"""
        return self._name.type

    @property
    def id(self) -> str | None:
        """The card's id, None where `@card` gave none."""
        return self._name.id

    @property
    def path(self) -> str:
        """The card's object in the store."""
        return self._name.key

    @property
    def size(self) -> int:
        """In bytes."""
        return self._name.size

    @property
    def pathspec(self) -> str:
        """The card's task."""
        return self._pathspec

    @cached_property
    def hash(self) -> str:
        """A short name for the card that no other has: made of where it is kept, so that nothing is read for it."""
        from hashlib import sha256

        return sha256(self.path.encode()).hexdigest()[:_HASH]

    @cached_property
    def _html(self) -> str:
        return stored.read(self._store, self._name)

    def get(self) -> str:
        """The HTML."""
        return self._html

    def view(self) -> None:
        """Open it in a browser."""
        from reflow.cards.viewing import view

        view(self.get(), self.path)

    def __repr__(self) -> str:
        return f"<Card {self.id or self.type} of {self.pathspec}>"

    def _repr_html_(self) -> str:
        frame = 'sandbox="allow-scripts allow-popups" style="width:100%;height:30rem;border:1px solid #8884"'
        return f'<iframe {frame} srcdoc="{escape(self.get())}"></iframe>'


class CardContainer:
    """A task's cards, in the order in which they're written above its step."""

    def __init__(self, cards: list[Card]) -> None:
        self._cards = cards

    @property
    def from_resumed(self) -> bool:
        """Whether the cards are those of a task that this one was cloned from."""
        return any(card.from_resumed for card in self._cards)

    @property
    def origin_pathspec(self) -> str | None:
        """That task."""
        return next((card.origin_pathspec for card in self._cards), None)

    def __len__(self) -> int:
        return len(self._cards)

    def __iter__(self) -> Iterator[Card]:
        return iter(self._cards)

    def __getitem__(self, place: Any) -> Any:
        return self._cards[place]

    def __repr__(self) -> str:
        return repr(self._cards)

    def _repr_html_(self) -> str:
        return "\n".join(f"<h4>{escape(card.id or card.type)}</h4>{card._repr_html_()}" for card in self)


def get_cards(
    task: Task | str,
    id: str | None = None,
    type: str | None = None,
    follow_resumed: bool = True,
    *,
    store: str | None = None,
) -> CardContainer:
    """The cards of a task, by it or by its pathspec; those with this id, of this type. While it runs, as it last
    refreshed them. `store`: the address of a store, where it isn't the one that is found from here.

    Raises MetaflowInvalidPathspec, MetaflowNotFound where there's no such task.
    """
    if isinstance(task, str):
        parts = task.split("/")
        if len(parts) != 4 or not all(parts):
            raise MetaflowInvalidPathspec(f"{task!r} isn't the name of a task: Flow/run/step/task.")
        of, attempt = place(store).flow(parts[0]), None
    else:
        parts, of, attempt = task.path_components, task._store, task._attempt
    run = parts[1]
    key = parse_key(of.manifest(run), parts[2], parts[3])
    found = cards_of(of, run, key, attempt)
    if not follow_resumed:
        found = [card for card in found if not card.from_resumed]
    return CardContainer([card for card in found if id in (None, card.id) and type in (None, card.type)])


def cards_of(store: FlowStore, run: str, key: TaskKey, attempt: int | None = None) -> list[Card]:
    """All cards of a task; of one attempt, from 0."""
    holder = store.holder(run, key)
    return _chosen(store, run, holder, key, stored.of_task(store, holder, key), attempt)


def cards_of_run(store: FlowStore, run: str, step: str | None = None) -> Iterator[Card]:
    """All cards of a run, or of a step of it, by task."""
    manifest = store.manifest(run)
    found: dict[TaskKey, tuple[str, stored.Launches]] = {}
    for holder, cloned in ((run, None), *manifest.clones.items()):
        keys = None if cloned is None else frozenset(cloned)
        for (of_step, task), launches in stored.of_run(store, holder, step).items():
            with suppress(NotFound):  # what was there before the graph changed
                key = parse_key(manifest, of_step, task)
                if keys is None or key in keys:
                    found[key] = (holder, launches)
    order = {name: place for place, name in enumerate(manifest.graph.steps)}
    for key in sorted(found, key=lambda key: (order[key.step], key)):
        holder, launches = found[key]
        yield from _chosen(store, run, holder, key, launches, None)


def _chosen(
    store: FlowStore, run: str, holder: str, key: TaskKey, launches: stored.Launches, attempt: int | None
) -> list[Card]:
    """Those of the launch that gave the task's result; else of the latest that left any."""
    if not launches:
        return []
    if attempt is not None:
        records = [*store.failures(run, key), store.result(run, key)]
        launch = next((one.launch for one in records if one and one.attempt == attempt), -1)
    else:
        record = store.result(run, key) if len(launches) > 1 else None
        launch = record.launch if record and record.launch in launches else max(launches)
    origin = f"{store.flow}/{holder}/{key.path}" if holder != run else None
    path = f"{store.flow}/{run}/{key.path}"
    return [Card(store, name, path, origin) for name in launches.get(launch, ())]
