"""The engine alone: what a task's end costs, and what a task takes of memory, by the width of a foreach.

    python benchmarks/engine.py

Nothing is started and nothing stored: this is the floor under every scheduler that uses the engine.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

from reflow.engine.clone import plan_clone
from reflow.engine.events import Succeeded
from reflow.engine.state import RunState
from reflow.graph.build import from_text
from reflow.graph.types import Graph
from reflow.values.key import TaskKey

WIDTHS = (10, 1_000, 10_000, 100_000)
SCRIPT = """
from reflow import FlowSpec, step

class Wide(FlowSpec):
    @step
    def start(self):
        self.next(self.work, foreach='items')
    @step
    def work(self):
        self.next(self.join)
    @step
    def join(self, inputs):
        self.next(self.end)
    @step
    def end(self):
        pass
"""


def ends_of(width: int) -> list[Succeeded]:
    """The ends of a whole run."""
    work = [Succeeded(TaskKey("work", (index,))) for index in range(width)]
    return [
        Succeeded(TaskKey("start"), width=width),
        *work,
        Succeeded(TaskKey("join")),
        Succeeded(TaskKey("end")),
    ]


def seconds(act: Callable[[], object]) -> float:
    """The best of three."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        act()
        times.append(time.perf_counter() - begin)
    return min(times)


def fold(graph: Graph, ends: list[Succeeded]) -> RunState:
    """One event after the other, as a scheduler hears of them."""
    state, _ = RunState.begin(graph, {})
    for end in ends:
        state.apply(end)
    return state


def memory(graph: Graph, ends: list[Succeeded]) -> int:
    """Bytes that the state of a finished run takes, keys included (the ends' own keys are not the state's)."""
    tracemalloc.start()
    state = fold(graph, ends)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert state.outcome == "succeeded"
    return size


def main() -> None:
    graph = from_text(SCRIPT, "wide.py").graph
    print(f"{'width':>8} {'µs an end':>10} {'rebuild ms':>11} {'clone plan ms':>14} {'bytes a task':>13}")
    for width in WIDTHS:
        ends = ends_of(width)
        per_end = seconds(lambda ends=ends: fold(graph, ends)) / len(ends) * 1e6  # type: ignore[misc]
        rebuild = seconds(lambda ends=ends: RunState.rebuild(graph, {}, ends)) * 1e3  # type: ignore[misc]
        clone = seconds(lambda ends=ends: plan_clone(graph, graph, ends)) * 1e3  # type: ignore[misc]
        size = memory(graph, ends) / len(ends)
        print(f"{width:>8} {per_end:>10.1f} {rebuild:>11.1f} {clone:>14.1f} {size:>13.0f}")


if __name__ == "__main__":
    main()
