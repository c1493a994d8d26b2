"""Whatever is lost, doubled, reordered or killed: nothing finished runs to a second result, and the run
comes out right."""

from __future__ import annotations

import asyncio
import copy
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reflow.values.key import TaskKey
from reflow_operator.kube.errors import KubeError, Retryable
from reflow_operator.podview import PodView
from tests.unit.operator.builders import WIDE, flowrun
from tests.unit.operator.fakekubelet import Ending
from tests.unit.operator.world import FLOWRUNS, World, play


class Chaos:
    """Pods end in every way there is, each time by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def behave(self, pod: PodView) -> Ending:
        width = 20 if pod.key == TaskKey("start") else None
        ways = [
            Ending(width=width),
            Ending(width=width),
            Ending(width=width, message=False),
            Ending(width=width, vanish=True),
            Ending(width=width, message=False, vanish=True),
            Ending(record=False, vanish=True),
            Ending(record=False, message=False, exit_code=137, status={"reason": "NodeLost"}),
        ]
        # A task that is lost more than ten times is given up, as it should be.
        return self.chance.choice(ways) if pod.launch < 6 else ways[0]

    def fault(self, verb: str, path: str) -> KubeError | None:
        return Retryable(503, "", "chaos", after=0.0) if self.chance.random() < 0.05 else None


async def _disturb(world: World, chance: random.Random) -> None:
    """Until the run is over: kill the operator, break its watches, tell it things twice."""
    while world.condition("wide", "Complete").get("status") != "True":
        await asyncio.sleep(chance.random() * 0.05)
        what = chance.choice(["kill", "kill", "drop", "lose", "double", "two"])
        if what == "kill":
            await world.kill()
            world.start()
        elif what == "drop":
            world.cluster.drop_watches()
        elif what == "lose":
            world.cluster.lose_place()
        elif what == "double":
            for kind, path, obj in _some(world, chance):
                world.cluster._history.append((world.cluster._history[-1][0], kind, path, obj))
        elif what == "two":
            await _second_operator(world)


def _some(world: World, chance: random.Random) -> list[tuple[str, str, dict[str, Any]]]:
    events = [(kind, path, copy.deepcopy(obj)) for _, kind, path, obj in world.cluster._history]
    return chance.sample(events, min(5, len(events)))


async def _second_operator(world: World) -> None:
    """Another operator works for a moment on the same, as after a partition."""
    first, task = world.app, world._task
    world.start()
    await asyncio.sleep(0.03)
    await world.kill()
    world.app, world._task = first, task


@pytest.mark.parametrize("seed", range(6))
def test_a_run_comes_out_right_whatever_happens(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reflow_operator.reconcile.REFUSED_SECONDS", 0.02)
    monkeypatch.setattr("reflow_operator.kube.informer.BACKOFF_SECONDS", (0.01, 0.05))
    monkeypatch.setattr("reflow_operator.reconcile.LOST_SECONDS", 0.0)
    chaos = Chaos(seed)
    created: Counter[str] = Counter()

    async def script(world: World) -> None:
        world.cluster.fault = chaos.fault
        world.cluster.apply(FLOWRUNS, flowrun("wide", WIDE, "WideFlow"))
        await asyncio.wait_for(_disturb(world, chaos.chance), 60)

    world = play(lambda: World(tmp_path, chaos.behave, "WideFlow"), script)
    for verb, path in world.cluster.requests:
        created[f"{verb} {path}"] += 1
    assert world.status("wide")["progress"] == "23/23"
    index = {entry.key: entry for entry in world.store.index("k8s-wide")}
    assert len(index) == 23
    assert all(entry.status.finished for entry in index.values())
    end = world.store.end("k8s-wide")
    assert end is not None
    assert end.succeeded
