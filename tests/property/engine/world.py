"""What becomes of each launch, decided by the task and the launch alone, so that every telling of a run
agrees."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from reflow.engine.events import Failed, Lost, Start, Succeeded, TaskEnd
from reflow.graph.types import Kind
from reflow.values.policy import StepPolicy
from tests.property.engine.flows import AGAIN, DONE, Blocks, graph_of

MAX_WIDTH = 3
MAX_ITERATION = 2


@dataclass(frozen=True)
class World:
    """`trouble`: how likely, of ten, a launch fails or is lost."""

    flow: Blocks
    seed: int
    trouble: int

    def policies(self) -> dict[str, StepPolicy]:
        found = {}
        for name, step in graph_of(self.flow).steps.items():
            dice = Random(f"{self.seed} {name}")
            can_catch = step.kind not in (Kind.FOREACH, Kind.SWITCH)
            retries, delay = dice.choice([0, 0, 1, 2]), dice.choice([0.0, 30.0])
            found[name] = StepPolicy(retries, delay, catch=can_catch and dice.random() < 0.3)
        return found

    def end(self, start: Start) -> TaskEnd:
        """How a launch ends."""
        key = start.key
        dice = Random(f"{self.seed} {key} {start.launch}")
        if dice.random() * 10 < self.trouble:
            if dice.random() < 0.4:
                return Lost(key, start.attempt, start.launch, "node lost")
            final = dice.random() < 0.2
            return Failed(key, start.attempt, start.launch, 100.0 + dice.randrange(50), "boom", final)
        return self.result(start)

    def result(self, start: Start) -> Succeeded:
        """The task's result, the same whichever launch has it."""
        key = start.key
        step = graph_of(self.flow).steps[key.step]
        dice = Random(f"{self.seed} {key}")
        if step.kind is Kind.FOREACH:
            return Succeeded(key, width=dice.randint(1, MAX_WIDTH))
        if step.kind is Kind.SWITCH:
            cases = [case for case, _ in step.cases]
            if AGAIN in cases:
                may_go_on = key.loop[-1] < MAX_ITERATION
                return Succeeded(key, case=dice.choice([AGAIN, DONE]) if may_go_on else DONE)
            return Succeeded(key, case=dice.choice(cases))
        return Succeeded(key)


def worlds(flows: st.SearchStrategy[Blocks]) -> st.SearchStrategy[World]:
    return st.builds(World, flows, st.integers(0, 10_000), st.sampled_from([0, 1, 3, 6]))
