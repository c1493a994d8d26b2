"""Cards in the store: one object each, below their run's folder, and so deleted with it; read through clones.

`runs/<run>/cards/<step>/<task>_<launch>/<number>.<type>[.<id>]`. The task's own process puts them: when its step has
ended, and before that whenever the step asks for it. No record names them: what isn't there is no card.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from reflow.store import layout
from reflow.store.flowstore import FlowStore
from reflow.values.dataclass import dataclass
from reflow.values.key import TaskKey

NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")  # of a type
ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
_OBJECT = re.compile(
    r"(?P<step>[^/]+)/(?P<task>[0-9.-]+)_(?P<launch>\d+)/"
    rf"(?P<number>\d+)\.(?P<type>{NAME.pattern})(?:\.(?P<id>{ID.pattern}))?"
)


@dataclass(frozen=True, slots=True)
class CardName:
    """A card that's in the store. `key`: its object; `number`: its place among its step's, from 0."""

    key: str
    number: int
    type: str
    id: str | None
    size: int


Launches: TypeAlias = Mapping[int, list[CardName]]
"""The cards of a task, by the launch that left them."""


def put(store: FlowStore, run: str, task: TaskKey, launch: int, name: str, html: str) -> None:
    """Write or overwrite a card. `name`: see `object_name`."""
    folder = f"{_folder(store, run)}{task.step}/{task.id}_{launch}/"
    store.objects.put(folder + name, html.encode("utf-8", "replace"))


def object_name(number: int, kind: str, id: str | None) -> str:
    """The last part of a card's key."""
    return f"{number:02d}.{kind}" + (f".{id}" if id else "")


def read(store: FlowStore, card: CardName) -> str:
    """The card's HTML. Raises NotFound."""
    return store.objects.get(card.key).decode("utf-8")


def of_task(store: FlowStore, run: str, task: TaskKey) -> Launches:
    """What a task left in the very run that it ran in, by launch."""
    prefix = f"{_folder(store, run)}{task.step}/{task.id}_"
    return _by_launch(store, run, prefix).get((task.step, task.id), {})


def of_run(store: FlowStore, run: str, step: str | None = None) -> Mapping[tuple[str, str], Launches]:
    """By step and task's id, what the tasks left that ran in this run. One listing."""
    folder = _folder(store, run)
    return _by_launch(store, run, f"{folder}{step}/" if step else folder)


def _folder(store: FlowStore, run: str) -> str:
    return layout.run(store.flow, run).cards


def _by_launch(store: FlowStore, run: str, prefix: str) -> dict[tuple[str, str], dict[int, list[CardName]]]:
    root = _folder(store, run)
    found: dict[tuple[str, str], dict[int, list[CardName]]] = {}
    for info in store.objects.list(prefix):
        if one := _OBJECT.fullmatch(info.key[len(root) :]):
            name = CardName(info.key, int(one["number"]), one["type"], one["id"], info.size)
            launches = found.setdefault((one["step"], one["task"]), {})
            launches.setdefault(int(one["launch"]), []).append(name)
    return found
