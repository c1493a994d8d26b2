"""Which store the client reads, opened once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from reflow.store.flowstore import FlowStore
from reflow.store.objects import ObjectStore
from reflow.store.open import find_store, open_store_long_lived


@dataclass(frozen=True)
class Place:
    """An open store and what was read of its flows."""

    url: str
    objects: ObjectStore = field(repr=False)
    flows: dict[str, FlowStore] = field(default_factory=dict, repr=False)

    def flow(self, name: str) -> FlowStore:
        if name not in self.flows:
            self.flows[name] = FlowStore(self.objects, name)
        return self.flows[name]


_open: dict[str, Place] = {}


def place(store: str | None = None) -> Place:
    """The store with this address; else the one that a script in the working directory would use.

    That is: REFLOW_STORE, the project's configuration, the nearest folder `.reflow`.
    """
    url = find_store(store, None, Path.cwd(), os.environ).url
    if url not in _open:
        _open[url] = Place(url, open_store_long_lived(url))
    return _open[url]
