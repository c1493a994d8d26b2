"""When containers truly start and end: containerd's own events, to the microsecond.

A Pod's status knows whole seconds only. All nodes of the test cluster are on this machine, so there is one clock.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from benchmarks.commands import Broken
from tests.cluster import build, node

_LINE = re.compile(
    r"(?P<day>\S+) (?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))? \+0000 UTC \S+ (?P<topic>\S+) (?P<about>\{.*\})"
)


@dataclass(slots=True)
class Life:
    """A container's start and end, in seconds since the epoch."""

    started: float | None = None
    exited: float | None = None

    @property
    def seconds(self) -> float | None:
        return None if self.started is None or self.exited is None else self.exited - self.started


@dataclass
class ContainerEvents:
    """Listens to the containerd of every node; a context."""

    lives: dict[str, Life] = field(default_factory=dict)
    _listeners: list[subprocess.Popen[str]] = field(default_factory=list)

    def __enter__(self) -> ContainerEvents:
        for one in (node.Node(number) for number in node.numbers()):
            if not one.running():
                continue  # a fault test's, whose Pods end nowhere
            words = one.inside(build.containerd().folder() / "ctr", "--namespace", "k8s.io", "events")
            listener = subprocess.Popen(
                [str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            self._listeners.append(listener)
            threading.Thread(target=self._listen, args=(listener,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        for listener in self._listeners:
            listener.kill()
            listener.wait()

    def life(self, container: str, patience: float = 5.0) -> Life:
        """Start and end of a container that has ended. Raises Broken where containerd said nothing of it."""
        deadline = time.monotonic() + patience
        while True:
            found = self.lives.get(container)
            if found is not None and found.seconds is not None:
                return found
            if time.monotonic() > deadline:
                raise Broken(f"containerd told nothing of container {container or '(unknown)'}")
            time.sleep(0.05)

    def _listen(self, listener: subprocess.Popen[str]) -> None:
        assert listener.stdout is not None
        for line in listener.stdout:
            heard = parse(line)
            if heard is None:
                continue
            life = self.lives.setdefault(heard.container, Life())
            if heard.topic == "/tasks/start":
                life.started = heard.at
            else:
                life.exited = heard.at


@dataclass(frozen=True, slots=True)
class Heard:
    """A line of `ctr events`: `/tasks/start` or `/tasks/exit` of a container's first process."""

    container: str
    topic: str
    at: float


def parse(line: str) -> Heard | None:
    """None for what is of no interest."""
    found = _LINE.match(line)
    if found is None or found["topic"] not in ("/tasks/start", "/tasks/exit"):
        return None
    about = json.loads(found["about"])
    container = about["container_id"]
    if about.get("id", container) != container:
        return None  # a process started in a container that runs already
    whole = datetime.fromisoformat(f"{found['day']}T{found['time']}+00:00").timestamp()
    return Heard(container, found["topic"], whole + float(f"0.{found['fraction'] or 0}"))


def first_process(container: str) -> int:
    """The number that a running container's first process has on this machine. Raises Broken where it isn't there."""
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda folder: int(folder.name)):
        try:
            if container in (folder / "cgroup").read_text():
                return int(folder.name)
        except OSError:
            continue  # it has ended meanwhile
    raise Broken(f"no process of container {container} runs here")
