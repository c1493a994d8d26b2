"""From `resume` to the first line of the user's code, where many tasks have finished already."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import scripts
from benchmarks.commands import Broken, Ran, clean_environment, run
from benchmarks.contenders import scratch
from benchmarks.figures import Goal, Report, Row
from benchmarks.load import LoadMeter
from benchmarks.options import Options

AT_MOST = {1000: 1.0, 10_000: 1.0}  # seconds, by the number of finished tasks
FEW = 3  # tasks of the small run that shows what a resume costs at least
WORKERS = 16


@dataclass(frozen=True, slots=True)
class Failed:
    """A run whose join failed: everything before it can be cloned. `ran`: what it took to make."""

    folder: Path
    width: int
    ran: Ran


def fail(folder: Path, width: int, environment: dict[str, str] | None = None) -> Failed:
    """Play a foreach of `width` tasks whose join fails. Its run has the id 1."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flow.py").write_text(scripts.failing(width))
    command = [sys.executable, "flow.py", "run", "--max-workers", str(WORKERS), "--run-id-file", "run-id"]
    ran = run(command, folder, clean_environment(folder, environment), exit_code=1, timeout=1800)
    if "ValueError: not yet" not in ran.output:
        raise Broken(f"the run to be resumed failed elsewhere:\n{ran.output[-2000:]}")
    return Failed(folder, width, ran)


@dataclass(frozen=True, slots=True)
class Resumed:
    """`first`: seconds from the process's start to the user's first line; `whole`: to its end."""

    first: float
    whole: Ran


def resume(failed: Failed) -> Resumed:
    """Resume run 1 with the repaired script; the join says when it began."""
    stamp = failed.folder / "stamp"
    stamp.unlink(missing_ok=True)
    (failed.folder / "flow.py").write_text(scripts.stamping(failed.width))
    environment = clean_environment(failed.folder, {scripts.STAMP: str(stamp)})
    command = [sys.executable, "flow.py", "resume", "--origin-run-id", "1", "--max-workers", str(WORKERS)]
    ran = run(command, failed.folder, environment)
    if f"the total is {scripts.total(failed.width)}" not in ran.output or not stamp.exists():
        raise Broken(f"the resume did not end as it should:\n{ran.output[-2000:]}")
    return Resumed(float(stamp.read_text()) - ran.started, ran)


def bare_python(folder: Path) -> float:
    """The floor: from a process's start to its own first line, where that is all there is."""
    ran = run([sys.executable, "-c", "import time; print(time.time())"], folder, clean_environment(folder))
    return float(ran.output) - ran.started


def measure(width: int, options: Options) -> Report:
    """In turns: a bare Python, a resume of few tasks, one of many."""
    with scratch() as folder:
        print(f"  making a run of {width} tasks …", file=sys.stderr, flush=True)
        many, few = fail(folder / "many", width), fail(folder / "few", FEW)
        meter = LoadMeter(options.patience)
        floor, small, large = [], [], []
        for _ in range(options.rounds):
            meter.glance()
            floor.append(bare_python(folder))
            small.append(resume(few))
            large.append(resume(many))
            print(f"  {width} tasks: {large[-1].first:.3f} s", file=sys.stderr, flush=True)
    return Report(
        f"Laptop: resume of a run with {width:,} finished tasks",
        f"`python flow.py resume`, from the process's start to the first line of the first new task's user code, by "
        f"one clock. The origin: a foreach of {width:,} whose join failed, in a folder store. Floors in turn with "
        f"it: a bare Python until its first line, and a resume of {FEW} finished tasks.",
        (
            Row("a bare Python", floor),
            _row(f"resume of {FEW} tasks", small),
            _row(f"resume of {width:,} tasks", large),
            Row(f"the origin's {width:,} tasks, made", [many.ran.seconds], "s", _made(many)),
        ),
        str(meter),
        _goals(width, [each.first for each in large]),
    )


def _row(what: str, found: Sequence[Resumed]) -> Row:
    whole = median(each.whole.seconds for each in found)
    memory = median(each.whole.memory for each in found)
    note = f"to the run's end {whole:.2f} s; largest process {memory:.0f} MB"
    return Row(what, [each.first for each in found], "s", note)


def _made(many: Failed) -> str:
    each = 1000 * many.ran.seconds / many.width
    return f"{each:.1f} ms a task; CPU {many.ran.cpu:.1f} s; largest process {many.ran.memory:.0f} MB"


def _goals(width: int, found: Sequence[float]) -> list[Goal]:
    limit = AT_MOST.get(width)
    text = f"resume of {width:,} finished tasks until the first new user code"
    return [Goal(text, median(found), limit, " s")] if limit else []
