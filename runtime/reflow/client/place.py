"""Which store the client reads, opened once."""

from __future__ import annotations

import os
from pathlib import Path

from reflow.sdk.currently import running_store
from reflow.store.flowstore import FlowStore
from reflow.store.objects import ObjectStore
from reflow.store.open import FOLDER, find_store, open_store_long_lived
from reflow.values.dataclass import dataclass, field
from reflow.values.errors import UsageError

_LOCAL = "local@"


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
_chosen: list[str] = []  # the store that `metadata(…)` chose
_spins: list[bool] = []  # something in it: `inspect_spin` was called


def place(store: str | None = None) -> Place:
    """The store with this address; else the one that `metadata(…)` chose; in a step the run's own; else the one that
    a script in the working directory would use.

    That is: REFLOW_STORE, the project's configuration, the nearest folder `.reflow`.
    """
    option = store or (_chosen[0] if _chosen else None)
    if option is None and (objects := running_store()) is not None:
        return _open.setdefault(objects.url, Place(objects.url, objects))
    url = find_store(option, None, Path.cwd(), os.environ).url
    if url not in _open:
        _open[url] = Place(url, open_store_long_lived(url))
    return _open[url]


def place_of(metadata: str) -> Place:
    """The store that `get_metadata()` named so."""
    return place(metadata.removeprefix(_LOCAL))


def metadata(ms: str) -> str:
    """From now on read this store: a folder (or one with a folder `.reflow` in it), also written `local@…`, or
    `s3://…`. Returns it as `get_metadata` does. Raises UsageError.
    """
    url = ms.removeprefix(_LOCAL)
    if "@" in url.partition("://")[0]:
        raise UsageError(f"metadata({ms!r}): it is a folder, local@FOLDER, or s3://bucket/prefix.")
    if "://" not in url:
        folder = Path(url).expanduser().absolute()
        if not folder.is_dir():
            raise UsageError(f"metadata({ms!r}): there is no folder {folder}.")
        inside = folder / FOLDER
        url = str(inside if inside.is_dir() else folder)
    place(url)
    _chosen[:] = [url]
    _spins.clear()
    return get_metadata()


def inspect_spin(datastore_root: str | os.PathLike[str] = ".") -> str:
    """From now on flows list their spins in place of their runs, until `metadata(…)` or `default_metadata()`.

    `datastore_root`: the folder whose store to read, if it has one. Returns it as `get_metadata` does.
    """
    if (Path(datastore_root) / FOLDER).is_dir():
        metadata(os.fspath(datastore_root))
    _spins[:] = [True]
    return get_metadata()


def lists_spins() -> bool:
    """Whether `inspect_spin` was called last."""
    return bool(_spins)


def get_metadata() -> str:
    """Which store the client reads: `local@FOLDER` or `s3://bucket/prefix`."""
    url = place().url
    return url if "://" in url else f"{_LOCAL}{url}"


def default_metadata() -> str:
    """Back to the store that is found without `metadata(…)`. Returns it as `get_metadata` does."""
    _chosen.clear()
    _spins.clear()
    return get_metadata()
