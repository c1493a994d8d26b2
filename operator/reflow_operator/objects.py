"""The FlowRuns and Resumes as last heard of: filled by kopf's watches and by the answers to our own
patches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """Which object. `plural`: flowruns or resumes."""

    plural: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.plural}/{self.namespace}/{self.name}"


class ObjectCache:
    """Whole objects by key. What is older than what is known is dropped. In one event loop."""

    def __init__(self) -> None:
        self._objects: dict[ObjectKey, Json] = {}

    def put(self, key: ObjectKey, obj: Mapping[str, Any]) -> None:
        """An object as the API server gave it."""
        known = self._objects.get(key)
        if known is None or _version(known) <= _version(obj):
            self._objects[key] = dict(obj)

    def remove(self, key: ObjectKey) -> None:
        """The object is gone."""
        self._objects.pop(key, None)

    def get(self, key: ObjectKey) -> Json | None:
        """The object, None where there's none."""
        return self._objects.get(key)

    def count(self, plural: str) -> int:
        """How many there are of a kind."""
        return sum(1 for key in self._objects if key.plural == plural)

    def items(self) -> Iterator[tuple[ObjectKey, Json]]:
        """All of them."""
        return iter(tuple(self._objects.items()))


def _version(obj: Mapping[str, Any]) -> int:
    return int((obj.get("metadata") or {}).get("resourceVersion") or 0)
