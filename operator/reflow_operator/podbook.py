"""What the informer knows of our Pods, by run, and what has changed of each run since it was last looked at.

A reconcile takes the changes only, so its cost doesn't grow with the run. All in one event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reflow_operator.podview import PodView


@dataclass(frozen=True, slots=True)
class Change:
    """A Pod as it is now, or as it was last seen before it went."""

    pod: PodView
    gone: bool = False


class PodBook:
    """See the module's docstring."""

    def __init__(self, on_change: Callable[[PodView], None]) -> None:
        """`on_change` is told of each Pod that changed; it must only enqueue."""
        self._on_change = on_change
        self._pods: dict[str, dict[str, PodView]] = {}
        self._changes: dict[str, dict[str, Change]] = {}

    def take(self, pod: PodView, gone: bool) -> None:
        """A change, from the informer."""
        pods = self._pods.setdefault(pod.run_uid, {})
        if gone:
            pods.pop(pod.uid, None)
            if not pods:
                del self._pods[pod.run_uid]
        else:
            pods[pod.uid] = pod
        self.touch(pod, gone)

    def touch(self, pod: PodView, gone: bool = False) -> None:
        """Have the run look at this Pod, whether or not it is news."""
        self._changes.setdefault(pod.run_uid, {})[pod.uid] = Change(pod, gone)
        self._on_change(pod)

    def changes(self, run_uid: str) -> tuple[Change, ...]:
        """What changed since the last call."""
        return tuple(self._changes.pop(run_uid, {}).values())

    def pods(self, run_uid: str) -> Iterator[PodView]:
        """All Pods of a run that are there."""
        return iter(tuple(self._pods.get(run_uid, {}).values()))
