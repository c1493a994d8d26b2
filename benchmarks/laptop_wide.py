"""A very wide foreach and a join that reads one number of each: time and the scheduler's memory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from statistics import median

from benchmarks import contenders
from benchmarks.commands import Ran
from benchmarks.figures import Goal, Report, Row
from benchmarks.laptop import fan_play
from benchmarks.load import LoadMeter
from benchmarks.options import Options

WORKERS = 16
AT_MOST = {10_000: (45.0, 150.0)}  # seconds and MB, by the width


def measure(width: int, options: Options) -> Report:
    """In turns: bare forks, a foreach."""
    play, meter = fan_play(width), LoadMeter(options.patience)
    floor: list[Ran] = []
    ours: list[Ran] = []
    for _ in range(options.slow_rounds):
        meter.glance()
        floor.append(contenders.bare_fork(play, WORKERS))
        meter.glance()
        ours.append(contenders.reflow(play, WORKERS))
        print(f"  {width}: {floor[-1].seconds:.1f} s, {ours[-1].seconds:.1f} s", file=sys.stderr, flush=True)
    how = (
        f"`python flow.py run --max-workers {WORKERS}` from its start to its end: a foreach of {width:,} trivial "
        "tasks, whose join adds up one number of each. The floor forks as often, each fork writing one small file."
    )
    rows = [_row("bare forks", floor, width), _row("a foreach and its join", ours, width)]
    return Report(f"Laptop: a foreach of {width:,}", how, rows, str(meter), _goals(width, ours))


def _row(what: str, runs: Sequence[Ran], width: int) -> Row:
    each = 1000 * median(ran.seconds for ran in runs) / width
    cpu, memory = median(ran.cpu for ran in runs), median(ran.memory for ran in runs)
    note = f"{each:.1f} ms a task; CPU {cpu:.1f} s; largest process {memory:.0f} MB"
    return Row(what, [ran.seconds for ran in runs], "s", note)


def _goals(width: int, ours: Sequence[Ran]) -> list[Goal]:
    if width not in AT_MOST:
        return []
    seconds, memory = AT_MOST[width]
    what = f"a foreach of {width:,} and its join"
    return [
        Goal(what, median(ran.seconds for ran in ours), seconds, " s"),
        Goal(f"{what}: the largest process", median(ran.memory for ran in ours), memory, " MB"),
    ]
