"""`current.card`: what a step appends to its cards, by their ids. Nothing here fails a step: it warns instead."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from reflow.cards.components import UserComponent
from reflow.cards.parts import MetaflowCardComponent, text_of
from reflow.values.dataclass import dataclass, field

Refresh = Callable[["CardComponents", Any, bool], None]


def warn(text: str) -> None:
    """To the user, in the task's output."""
    print(f"[@card WARNING] {text}", file=sys.stderr, flush=True)


class _Absent(UserComponent):
    """Stands for a component that isn't there (yet), so that updating it is no error."""

    def __init__(self) -> None:
        super().__init__()

    def update(self, *args: Any, **kwargs: Any) -> None:
        warn(f"There is no component {self.component_id!r} to update.")

    def render(self) -> str:
        return ""


class Components:
    """The components of a card in their order, by their ids."""

    def __init__(self, components: Iterable[Any] = ()) -> None:
        self._held: dict[str, MetaflowCardComponent] = {}
        self.extend(components)

    def append(self, component: Any, id: str | None = None) -> None:
        """Add one, or replace the one of that id."""
        if not isinstance(component, MetaflowCardComponent):
            warn(f"{text_of(component, 80)} is no component, and isn't shown. Use Markdown(…), say.")
            return
        component.component_id = id or component.component_id or self._new_id(component)
        self._held[component.component_id] = component

    def _new_id(self, component: MetaflowCardComponent) -> str:
        name, number = type(component).__name__.lower(), len(self._held)
        while f"{name}_{number}" in self._held:
            number += 1
        return f"{name}_{number}"

    def extend(self, components: Iterable[Any]) -> None:
        """Add them all."""
        for component in components:
            self.append(component)

    def clear(self) -> None:
        """Remove them all."""
        self._held.clear()

    def keys(self) -> list[str]:
        """Their ids."""
        return list(self._held)

    def values(self) -> list[MetaflowCardComponent]:
        """The components."""
        return list(self._held.values())

    def __getitem__(self, id: str) -> Any:
        if id not in self._held:
            absent = _Absent()
            absent.component_id = id
            return absent
        return self._held[id]

    def __setitem__(self, id: str, component: Any) -> None:
        self.append(component, id)

    def __delitem__(self, id: str) -> None:
        del self._held[id]

    def __contains__(self, id: object) -> bool:
        return id in self._held

    def __iter__(self) -> Iterator[MetaflowCardComponent]:
        return iter(self.values())

    def __len__(self) -> int:
        return len(self._held)


@dataclass(frozen=True, slots=True)
class CardSpec:
    """One `@card` of a step. `number`: its place among them, from 0."""

    number: int
    type: str = "default"
    id: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    timeout: float = 45.0  # seconds
    customize: bool = False
    save_errors: bool = True
    refresh_interval: float = 5.0  # seconds
    editable: bool = True  # whether its type shows what's appended


class CardComponents:
    """One card while its step runs: `current.card['id']`."""

    def __init__(self, spec: CardSpec, refresh: Refresh) -> None:
        self.spec = spec
        self.components = Components()
        self._refresh = refresh

    def append(self, component: Any, id: str | None = None) -> None:
        """Add a component; `id` is for `components[id]`."""
        self.components.append(component, id)

    def extend(self, components: Iterable[Any]) -> None:
        """Add components."""
        self.components.extend(components)

    def clear(self) -> None:
        """Remove all components."""
        self.components.clear()

    def refresh(self, data: Any = None, force: bool = False) -> None:
        """Have the card shown as it is now, while the step goes on. At most every `refresh_interval` seconds."""
        self._refresh(self, data, force)

    def __iter__(self) -> Iterator[MetaflowCardComponent]:
        return iter(self.components)

    def __len__(self) -> int:
        return len(self.components)


class CardCollector:
    """`current.card`: the cards by their ids, and itself the one that is meant without."""

    def __init__(self, specs: Sequence[CardSpec], refresh: Refresh) -> None:
        self._cards = [CardComponents(spec, refresh) for spec in specs]
        self._by_id = _by_id(self._cards)
        self._meant = meant(specs)
        self._nowhere = CardComponents(CardSpec(-1), lambda card, data, force: None)
        self._warned: set[str] = set()

    def cards(self) -> list[CardComponents]:
        """All of the step's, in the order in which they're written above it."""
        return list(self._cards)

    def append(self, component: Any, id: str | None = None) -> None:
        """Add a component to the card that is meant."""
        self._one("append").append(component, id)

    def extend(self, components: Iterable[Any]) -> None:
        """Add components to it."""
        self._one("extend").extend(components)

    def clear(self) -> None:
        """Remove all of its components."""
        self._one("clear").clear()

    def refresh(self, data: Any = None, force: bool = False) -> None:
        """See `CardComponents.refresh`."""
        self._one("refresh").refresh(data, force)

    @property
    def components(self) -> Components:
        """Its components, by their ids."""
        return self._one("components").components

    def get(self, type: str | None = None) -> list[CardComponents]:
        """The cards of a type."""
        return [card for card in self._cards if type in (None, card.spec.type)]

    def __getitem__(self, id: str) -> CardComponents:
        if id in self._by_id:
            return self._by_id[id]
        self._warn(f"This step has no card with the id {id!r}: @card(id={id!r}) makes one.")
        return self._nowhere

    def __setitem__(self, id: str, components: Iterable[Any]) -> None:
        card = self[id]
        card.clear()
        card.extend([components] if isinstance(components, MetaflowCardComponent) else components)

    def __contains__(self, id: object) -> bool:
        return id in self._by_id

    def __iter__(self) -> Iterator[MetaflowCardComponent]:
        return iter(self._one("iteration"))

    def __len__(self) -> int:
        return sum(len(card) for card in self._cards)

    def _one(self, what: str) -> CardComponents:
        if self._meant is not None:
            return self._cards[self._meant]
        if any(card.spec.editable for card in self._cards):
            self._warn(
                f"Which of the step's cards `current.card` means isn't clear, so `{what}` does nothing:"
                " give them ids and use current.card['id'], or say @card(customize=True) for one."
            )
        else:
            self._warn(f"None of the step's cards shows components, so `{what}` does nothing.")
        return self._nowhere

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            warn(text)


def meant(specs: Sequence[CardSpec]) -> int | None:
    """Which of the cards `current.card` means: the only one that shows components, the one with `customize`, or the
    only one without an id; else None."""
    editable = [place for place, spec in enumerate(specs) if spec.editable]
    customized = [place for place in editable if specs[place].customize]
    nameless = [place for place in editable if specs[place].id is None]
    for found in (editable, customized, nameless):
        if len(found) == 1:
            return found[0]
    return None


def _by_id(cards: Iterable[CardComponents]) -> dict[str, CardComponents]:
    found: dict[str, CardComponents] = {}
    twice = set()
    for card in cards:
        if card.spec.id is not None:
            if card.spec.id in found:
                twice.add(card.spec.id)
            found[card.spec.id] = card
    for id in sorted(twice):
        warn(f"Several cards of this step have the id {id!r}, so current.card[{id!r}] means none of them.")
        del found[id]
    return found
