"""What is timed on the laptop: Reflow, Metaflow, and the floor below both."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import metaflow_env
from benchmarks.commands import Broken, Ran, clean_environment, run
from reflow.task.spawn import RUNTIME_ROOT

# No less can be done for a task in a process of its own: one fork, one small file.
_BARE_FORK = """\
import os, sys
tasks, workers = int(sys.argv[1]), int(sys.argv[2])
going = 0
for task in range(tasks):
    if going == workers:
        os.wait()
        going -= 1
    if os.fork() == 0:
        with open(f"task-{task}", "w") as file:
            file.write('{"status": "succeeded"}')
        os._exit(0)
    going += 1
while going:
    os.wait()
    going -= 1
"""


@dataclass(frozen=True, slots=True)
class Play:
    """A flow's script for both, how many tasks it has, what its output must hold, and how many times faster than
    Metaflow Reflow was promised to be."""

    name: str
    reflow: str
    metaflow: str
    tasks: int
    shows: str
    at_least: float


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="reflow-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bare_fork(play: Play, workers: int) -> Ran:
    """The floor."""
    with scratch() as folder:
        command = [sys.executable, "-c", _BARE_FORK, str(play.tasks), str(workers)]
        return run(command, folder, clean_environment(folder))


def reflow(play: Play, workers: int) -> Ran:
    """`python flow.py run`, into a folder of its own, with the Python that has Metaflow and what scripts import."""
    program = metaflow_env.python()
    with scratch() as folder:
        (folder / "flow.py").write_text(play.reflow)
        command: list[str | Path] = [program, "flow.py", "run", "--max-workers", str(workers)]
        environment = clean_environment(folder, {"PYTHONPATH": RUNTIME_ROOT})
        return _checked(run(command, folder, environment), play)


def metaflow(play: Play, workers: int) -> Ran:
    """The same with Metaflow."""
    program = metaflow_env.python()
    with scratch() as folder:
        (folder / "flow.py").write_text(play.metaflow)
        limits = ["--max-workers", str(workers), "--max-num-splits", "100000"]
        environment = clean_environment(folder, metaflow_env.environment(folder))
        return _checked(run([program, "flow.py", "run", *limits], folder, environment), play)


def _checked(ran: Ran, play: Play) -> Ran:
    if play.shows not in ran.output:
        raise Broken(f"{play.name} did not print {play.shows!r}:\n{ran.output[-2000:]}")
    return ran
