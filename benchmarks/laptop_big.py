"""One big artifact, written by a task and read by the next, beside a plain file of the same size."""

from __future__ import annotations

import os
import sys
from statistics import median

from benchmarks.commands import Ran, clean_environment, run
from benchmarks.contenders import scratch
from benchmarks.figures import Goal, Report, Row, ratios
from benchmarks.load import LoadMeter
from benchmarks.options import Options

AT_MOST = 1.5  # times the plain file
MEGABYTES = 1024

_VALUE = "os.urandom(1 << 20) * {megabytes}"
_FLOOR = f"""\
import os, subprocess, sys
value = {_VALUE}
with open("big", "wb") as file:
    file.write(value)
read = 'import sys; sys.exit(len(open("big", "rb").read()) != {{megabytes}} << 20)'
sys.exit(subprocess.call([sys.executable, "-c", read]))
"""
_FLOW = f"""\
import os

from reflow import FlowSpec, step


class BigFlow(FlowSpec):
    @step
    def start(self):
        self.value = {_VALUE}
        self.next(self.end)

    @step
    def end(self):
        assert len(self.value) == {{megabytes}} << 20


if __name__ == "__main__":
    BigFlow()
"""


def measure(options: Options) -> Report:
    """In turns: a plain file, the artifact, and a run whose artifact is small."""
    meter = LoadMeter(options.patience)
    floor, ours, small = [], [], []
    _file()  # a virtual machine may fetch its memory at the first touch
    _artifact(MEGABYTES)
    for _ in range(options.rounds):
        meter.glance()
        floor.append(_file())
        meter.glance()
        ours.append(_artifact(MEGABYTES))
        small.append(_artifact(0))
        print(
            f"  file {floor[-1].seconds:.2f} s, artifact {ours[-1].seconds:.2f} s",
            file=sys.stderr,
            flush=True,
        )
    pairs = ratios([ran.seconds for ran in ours], [ran.seconds for ran in floor])
    rows = [
        _row("a plain file: written, read by another process", floor),
        _row("an artifact: written by `start`, read by `end`", ours),
        _row("the same flow with an empty one", small),
        Row("artifact / file", pairs, "×", "pair by pair"),
    ]
    how = (
        f"{MEGABYTES:,} MB of bytes, `python flow.py run` from its start to its end beside a Python that writes as "
        "many to a file and starts another that reads them; once before it counts. Neither waits for the disk "
        "(fsync); an artifact is hashed when it is written, and checked against its hash before it is read."
    )
    goal = Goal(f"an artifact of {MEGABYTES:,} MB over a plain file", median(pairs), AT_MOST, " times")
    return Report(f"Laptop: an artifact of {MEGABYTES:,} MB", how, rows, str(meter), (goal,))


def _file() -> Ran:
    return _in_scratch(_FLOOR.format(megabytes=MEGABYTES), [])


def _artifact(megabytes: int) -> Ran:
    return _in_scratch(_FLOW.format(megabytes=megabytes), ["run"])


def _in_scratch(script: str, arguments: list[str]) -> Ran:
    with scratch() as folder:
        (folder / "script.py").write_text(script)
        ran = run([sys.executable, "script.py", *arguments], folder, clean_environment(folder))
    os.sync()  # what one sample left to be written mustn't slow the next one down
    return ran


def _row(what: str, runs: list[Ran]) -> Row:
    memory = median(ran.memory for ran in runs)
    cpu = median(ran.cpu for ran in runs)
    return Row(what, [ran.seconds for ran in runs], "s", f"CPU {cpu:.1f} s; largest process {memory:.0f} MB")
