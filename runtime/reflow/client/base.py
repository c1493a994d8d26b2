"""What flows, runs, steps, tasks and artifacts have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from reflow.client.errors import MetaflowInvalidPathspec, MetaflowNotFound
from reflow.client.namespaces import get_namespace
from reflow.client.place import Place, place, place_of


class Named:
    """Something with a pathspec. Cheap to make; what it shows is read when it's asked for."""

    _form: ClassVar[str]  # of the pathspec, for messages
    _has_attempts: ClassVar[bool] = False

    def __init__(
        self,
        pathspec: str,
        attempt: int | None = None,
        *,
        store: str | None = None,
        _place: Place | None = None,
        _namespace_check: bool = True,
        _current_namespace: str | None = None,
        _current_metadata: str | None = None,
    ) -> None:
        """`store`: the address of a store, where it isn't the one that is found from here. `attempt`, for tasks and
        their artifacts: from 0; else the one with the result, or the latest that failed.

        Raises MetaflowInvalidPathspec, MetaflowNotFound where there is no such object, and
        MetaflowNamespaceMismatch where it isn't in the namespace. The arguments with `_` are as in Metaflow:
        `_namespace_check=False` finds it in any namespace.
        """
        self._parts = tuple(pathspec.split("/")) if isinstance(pathspec, str) else ()
        if len(self._parts) != self._form.count("/") + 1 or not all(self._parts):
            raise MetaflowInvalidPathspec(
                f"{pathspec!r} isn't the name of a {type(self).__name__}; that is of the form {self._form}."
            )
        self._attempt = self._checked_attempt(attempt)
        self._namespace = (_current_namespace or get_namespace()) if _namespace_check else None
        self._place = _place or (place_of(_current_metadata) if _current_metadata else place(store))
        self._store = self._place.flow(self._parts[0])

    @classmethod
    def _checked_attempt(cls, attempt: int | None) -> int | None:
        if attempt is None:
            return None
        if not cls._has_attempts:
            raise MetaflowNotFound(f"A {cls.__name__} has no attempts; tasks and their artifacts have.")
        try:
            number = int(attempt)
        except (TypeError, ValueError):
            number = -1
        if number < 0:
            raise MetaflowNotFound(f"attempt={attempt!r}: attempts are counted from 0.")
        return number

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
        attempt = "" if self._attempt is None else f", attempt={self._attempt}"
        return f"{type(self).__name__}({self.pathspec!r}{attempt})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Named) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[str, str, int | None]:
        return self._place.url, self.pathspec, self._attempt

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.pathspec, self._place.url, self._attempt, self._namespace)


def _again(
    kind: type[Named],
    pathspec: str,
    store: str,
    attempt: int | None = None,
    namespace: str | None = None,
) -> Named:
    """An object that was pickled, such as one that a step kept as an artifact: in the namespace it was made in."""
    return kind(
        pathspec,
        attempt,
        store=store,
        _namespace_check=namespace is not None,
        _current_namespace=namespace,
    )


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

    def _ipython_key_completions_(self) -> list[str]:
        """What IPython offers after `[`."""
        return [child.id for child in self]


def moment(seconds: float) -> datetime:
    """Seconds since the epoch as local time, as Metaflow's client gives it."""
    return datetime.fromtimestamp(seconds)
