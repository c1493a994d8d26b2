"""Commands that run nothing: how soon they answer."""

from __future__ import annotations

import sys
from statistics import median

from benchmarks import scripts
from benchmarks.commands import clean_environment, run
from benchmarks.contenders import scratch
from benchmarks.figures import Goal, Report, Row
from benchmarks.load import LoadMeter
from benchmarks.options import Options

AT_MOST = 0.15  # seconds
COMMANDS = {
    "python flow.py --help": ["flow.py", "--help"],
    "python flow.py show": ["flow.py", "show"],
    "python flow.py check": ["flow.py", "check"],
    "reflow --help": ["-m", "reflow", "--help"],
}
PROMISED = ("python flow.py --help", "python flow.py show")
SAMPLES = 3  # for each round: they are short


def measure(options: Options) -> Report:
    """In turns: a bare Python, then each command."""
    meter = LoadMeter(options.patience)
    found: dict[str, list[float]] = {name: [] for name in ("python -c pass", *COMMANDS)}
    with scratch() as folder:
        (folder / "flow.py").write_text(scripts.fan("reflow", 3))
        environment = clean_environment(folder)
        for _ in range(options.rounds):
            meter.glance()
            for _ in range(SAMPLES):
                for name, words in {"python -c pass": ["-c", "pass"], **COMMANDS}.items():
                    found[name].append(run([sys.executable, *words], folder, environment).seconds)
    goals = [Goal(f"`{name}`", median(found[name]), AT_MOST, " s") for name in PROMISED]
    how = "From a process's start to its end, in turns. The floor is a Python that does nothing."
    rows = [Row(f"`{name}`", samples) for name, samples in found.items()]
    return Report("Laptop: commands that run nothing", how, rows, str(meter), goals)
