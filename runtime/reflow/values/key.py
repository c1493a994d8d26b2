"""A task's identity: its step, where it stands in the foreaches around it, and in the loops around it."""

from __future__ import annotations

from reflow.values.dataclass import dataclass


@dataclass(frozen=True, slots=True, order=True)
class TaskKey:
    """Which task of a run.

    `foreach` holds one index for each foreach around the step, the outermost first; `loop` one iteration number for
    each loop around it. For one graph, all keys of a step have the same two lengths.
    """

    step: str
    foreach: tuple[int, ...] = ()
    loop: tuple[int, ...] = ()

    @property
    def id(self) -> str:
        """The task's id within its step: `0` alone, `17` in a foreach, `17-3` nested, `17.2` in a loop too."""
        return format_id(self.foreach, self.loop)

    @property
    def path(self) -> str:
        """`step/id`."""
        return f"{self.step}/{self.id}"

    def __str__(self) -> str:
        return self.path


def format_id(foreach: tuple[int, ...], loop: tuple[int, ...]) -> str:
    """See `TaskKey.id`."""
    head = "-".join(map(str, foreach)) if foreach else "0"
    return ".".join([head, *map(str, loop)])


def pathspec(flow: str, run: str, key: TaskKey) -> str:
    """`Flow/run/step/id`."""
    return f"{flow}/{run}/{key.step}/{key.id}"
