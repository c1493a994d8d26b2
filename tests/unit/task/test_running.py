"""What a running task tells, in which order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from reflow.task.events import Event, OutputLine, TaskStarted
from reflow.task.running import RunningTask
from reflow.task.spec import TaskSpec
from reflow.values.key import TaskKey


class LateChild:
    """A child whose pid is heard of when `heard` says so, as the fork server's are."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.status: int | None = None
        self.lost = ""
        self.heard: int | None = None

    def update(self) -> None:
        self.pid = self.heard


class Keeping:
    is_full = False

    def write(self, *told: object) -> None:
        """Kept."""


class Scene:
    def __init__(self) -> None:
        self.told: list[Event] = []
        self.child = LateChild()
        self.pipes = [os.pipe() for _ in range(3)]
        spec = TaskSpec(store="", flow="F", run="1", key=TaskKey("a"), script="f.py", digest="", user="")
        out, err, control = (reader for reader, _ in self.pipes)
        self.task = RunningTask(
            spec, cast(Any, self.child), cast(Any, Keeping()), (out, err, control), self.told.append
        )

    def prints(self, text: str) -> None:
        reader, writer = self.pipes[0]
        os.write(writer, text.encode())
        self.task.readers()[reader]()

    def lines(self) -> list[tuple[str, int]]:
        return [(event.text, event.pid) for event in self.told if isinstance(event, OutputLine)]


@pytest.fixture
def scene() -> Iterator[Scene]:
    with ExitStack() as stack:
        made = Scene()
        for descriptor in (one for pipe in made.pipes for one in pipe):
            stack.callback(os.close, descriptor)
        yield made


def test_a_line_printed_before_the_pid_is_heard_of_is_told_after_the_start_with_it(scene: Scene) -> None:
    scene.prints("early\n")
    assert scene.told == []
    scene.child.heard = 77
    scene.task.look()
    assert isinstance(scene.told[0], TaskStarted)
    assert scene.lines() == [("early", 77)]


def test_a_pid_that_is_there_already_is_asked_for_when_the_task_prints(scene: Scene) -> None:
    scene.child.heard = 77
    scene.prints("early\nlate\n")
    assert isinstance(scene.told[0], TaskStarted)
    assert scene.lines() == [("early", 77), ("late", 77)]


def test_what_a_child_printed_that_is_lost_before_its_pid_came_is_told_all_the_same(scene: Scene) -> None:
    scene.prints("early\n")
    scene.child.lost = "the fork server is gone"
    assert scene.task.look()
    scene.prints("last\n")
    assert [text for text, _ in scene.lines()] == ["early", "last"]
