"""Running flows from a program or a notebook: each run is a `python flow.py run …` of its own.

from reflow import Runner

with Runner("flow.py").run(alpha=0.5) as running:
    print(running.run["end"].task.data.score)
"""

from __future__ import annotations

from reflow.runner.executing import ExecutingRun, ExecutingTask, RunNotStarted
from reflow.runner.notebook import NBRunner
from reflow.runner.runner import Runner

__all__ = ["ExecutingRun", "ExecutingTask", "NBRunner", "RunNotStarted", "Runner"]
