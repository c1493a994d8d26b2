"""Trivial tasks on the laptop, beside Metaflow and beside a bare fork that writes one small file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from statistics import median

from benchmarks import contenders, metaflow_env, scripts
from benchmarks.commands import Ran
from benchmarks.contenders import Play
from benchmarks.figures import Goal, Report, Row, ratios
from benchmarks.load import LoadMeter
from benchmarks.options import Options

WORKERS = (2, 16)
SLOW = 200  # tasks, from which on Metaflow takes minutes
IMPORTS: tuple[tuple[str, ...], ...] = ((), ("numpy", "pandas"))  # what the script imports at its top


def fan_play(width: int, imports: Sequence[str] = ()) -> Play:
    return Play(
        f"a foreach of {width} trivial tasks{_importing(imports)}",
        scripts.fan("reflow", width, imports),
        scripts.fan("metaflow", width, imports),
        width + 3,
        f"the total is {scripts.total(width)}",
        at_least=30.0,
    )


def chain_play(steps: int, imports: Sequence[str] = ()) -> Play:
    return Play(
        f"{steps} steps one after another{_importing(imports)}",
        scripts.chain("reflow", steps, imports=imports),
        scripts.chain("metaflow", steps, imports=imports),
        steps,
        "Done!",
        at_least=15.0,
    )


def _importing(imports: Sequence[str]) -> str:
    return f", with {' and '.join(imports)} imported" if imports else ""


def measure(play: Play, workers: Sequence[int], options: Options) -> Report:
    """Round by round, one after another: floor, Reflow, Metaflow, with each number of workers."""
    rounds = options.rounds
    slow = options.slow_rounds if play.tasks > SLOW else rounds
    meter = LoadMeter(options.patience)
    found: dict[tuple[str, int], list[Ran]] = {}
    kinds: dict[str, tuple[Callable[[Play, int], Ran], int]] = {
        "bare fork": (contenders.bare_fork, rounds),
        "Reflow": (contenders.reflow, rounds),
        "Metaflow": (contenders.metaflow, slow),
    }
    for each in range(rounds):
        for count in workers:
            for kind, (contender, wanted) in kinds.items():
                if each < wanted:
                    meter.glance()
                    ran = contender(play, count)
                    found.setdefault((kind, count), []).append(ran)
                    print(f"  {play.name}: {kind}, {count}: {ran.seconds:.2f} s", file=sys.stderr, flush=True)
    return _report(play, workers, found, meter)


def _report(
    play: Play, workers: Sequence[int], found: dict[tuple[str, int], list[Ran]], meter: LoadMeter
) -> Report:
    rows, goals = [], []
    for kind in ("bare fork", "Reflow", "Metaflow"):
        for count in workers:
            runs = found.get((kind, count), [])
            if runs:
                each = 1000 * median(ran.seconds for ran in runs) / play.tasks
                cpu, memory = median(ran.cpu for ran in runs), median(ran.memory for ran in runs)
                note = f"{each:.1f} ms a task; CPU {cpu:.2f} s; largest process {memory:.0f} MB"
                rows.append(Row(f"{kind}, {count} workers", [ran.seconds for ran in runs], "s", note))
    theirs = {count: found[("Metaflow", count)] for count in workers if found.get(("Metaflow", count))}
    if theirs:
        best = min(theirs, key=lambda count: median(ran.seconds for ran in theirs[count]))
        at_best = [ran.seconds for ran in theirs[best]]
        ours = {count: [ran.seconds for ran in found[("Reflow", count)]] for count in workers}
        rows.append(_pairs(f"Metaflow at its best ({best}) / Reflow with the same", at_best, ours[best]))
        times = median(at_best) / median(ours[best])
        goals.append(
            Goal(f"{play.name}, Metaflow's time over Reflow's", times, play.at_least, " times", at_least=True)
        )
    how = (
        f"`python flow.py run`, from the process's start to its end: {play.name}, {play.tasks} tasks in all. "
        f"Metaflow {metaflow_env.VERSION} from PyPI; the same Python for both. Floor: a process that forks "
        "once per task, each fork writing one small file. In turns: floor, Reflow, Metaflow, and again."
    )
    return Report(f"Laptop: {play.name}", how, rows, str(meter), goals)


def _pairs(what: str, theirs: Sequence[float], ours: Sequence[float]) -> Row:
    pairs = min(len(theirs), len(ours))
    return Row(what, ratios(theirs[:pairs], ours[:pairs]), "×", "pair by pair")
