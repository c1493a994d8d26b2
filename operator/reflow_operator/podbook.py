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
        self._changes: dict[str, dict[str, Change]] = {}  # of the runs that are followed

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

    def follow(self, run_uid: str) -> tuple[PodView, ...]:
        """All Pods of a run as they are now; what changes from here on is gathered."""
        self._changes[run_uid] = {}
        return tuple(self._pods.get(run_uid, {}).values())

    def unfollow(self, run_uid: str) -> None:
        """Gather nothing more."""
        self._changes.pop(run_uid, None)

    def touch(self, pod: PodView, gone: bool = False) -> None:
        """Have the run look at this Pod, whether or not it is news."""
        changes = self._changes.get(pod.run_uid)
        if changes is not None:
            known = changes.get(pod.uid)
            # A view that was read before an await mustn't replace a newer one that came meanwhile.
            if gone or known is None or (not known.gone and known.pod.version <= pod.version):
                changes[pod.uid] = Change(pod, gone)
        self._on_change(pod)

    def changes(self, run_uid: str) -> tuple[Change, ...]:
        """What changed of a followed run since the last call."""
        changes = self._changes.get(run_uid)
        if not changes:
            return ()
        self._changes[run_uid] = {}
        return tuple(changes.values())

    def pods(self, run_uid: str) -> Iterator[PodView]:
        """All Pods of a run that are there."""
        return iter(tuple(self._pods.get(run_uid, {}).values()))
