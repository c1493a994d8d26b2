"""What flows, runs, steps, tasks and artifacts have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from reflow.client.errors import MetaflowInvalidPathspec
from reflow.client.place import Place, place


class Named:
    """Something with a pathspec. Cheap to make; what it shows is read when it's asked for."""

    _form: ClassVar[str]  # of the pathspec, for messages

    def __init__(self, pathspec: str, *, store: str | None = None, _place: Place | None = None) -> None:
        """`store`: the address of a store, where it isn't the one that is found from here.

        Raises MetaflowInvalidPathspec, and MetaflowNotFound where there is no such object.
        """
        self._parts = tuple(pathspec.split("/"))
        if len(self._parts) != self._form.count("/") + 1 or not all(self._parts):
            raise MetaflowInvalidPathspec(
                f"{pathspec!r} isn't the name of a {type(self).__name__}; that is of the form {self._form}."
            )
        self._place = _place or place(store)
        self._store = self._place.flow(self._parts[0])

    @property
    def pathspec(self) -> str:
        """The full name, such as `DebugFlow/3/start/0`."""
        return "/".join(self._parts)

    @property
    def path_components(self) -> list[str]:
        """The parts of the pathspec."""
        return list(self._parts)

    @property
    def id(self) -> str:
        """The last part of the pathspec."""
        return self._parts[-1]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.pathspec!r})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Named) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[str, str]:
        return self._place.url, self.pathspec

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.pathspec, self._place.url)


def _again(kind: type[Named], pathspec: str, store: str) -> Named:
    """An object that was pickled, such as one that a step kept as an artifact."""
    return kind(pathspec, store=store)


class Parent(Named):
    """A named object with children, by their ids."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def __getitem__(self, child: str) -> Any:
        raise NotImplementedError

    def __contains__(self, child: object) -> bool:
        try:
            self[str(child)]
        except KeyError:
            return False
        return True


def moment(seconds: float) -> datetime:
    """Seconds since the epoch as local time, as Metaflow's client gives it."""
    return datetime.fromtimestamp(seconds)
