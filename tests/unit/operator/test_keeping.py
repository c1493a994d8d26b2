"""What is done in the background: the ledger, signs of life, old Pods."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reflow.store import layout
from reflow.store.ledger import read_index
from reflow.values.key import TaskKey
from reflow_operator import keeping, reconcile
from reflow_operator.podview import PodView
from tests.unit.operator.builders import DEBUG, WIDE, flowrun
from tests.unit.operator.fakekubelet import Ending
from tests.unit.operator.world import FLOWRUNS, World, play


def succeed(pod: PodView) -> Ending:
    return Ending(width=20 if pod.key == TaskKey("start") else None)


def test_the_ledger_holds_every_finished_task_and_packs_only_for_wide_steps(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun("wide", WIDE, "WideFlow"))
        await world.until_condition("wide", "Complete")
        run = layout.run("WideFlow", "k8s-wide")
        await world.until(lambda: len(read_index(world.store.objects, run)) == 23)

        def packs() -> list[str]:
            return [info.key for info in world.store.objects.list(run.root + "ledger/packs/")]

        await world.until(packs)
        assert all("/work/" in key for key in packs())

    play(lambda: World(tmp_path, succeed, "WideFlow"), script)


def test_a_run_is_alive_while_it_runs_and_not_afterwards(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun(code=DEBUG))
        await world.until(lambda: world.kubelet.launched.get(TaskKey("start")))
        assert world.store.liveness("k8s-debug-1").alive
        world.kubelet.behave = lambda pod: Ending()
        world.kubelet.end(world.pod_of("start"), Ending())
        await world.until_condition("debug-1", "Complete")
        assert not world.store.liveness("k8s-debug-1").alive

    play(lambda: World(tmp_path, lambda pod: Ending(running=True)), script)


def test_pods_of_finished_tasks_go_while_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "SWEEP_FROM", 5)

    def behave(pod: PodView) -> Ending:
        return Ending(running=True) if pod.key == TaskKey("join") else succeed(pod)

    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun("wide", WIDE, "WideFlow"))
        await world.until(lambda: world.kubelet.launched.get(TaskKey("join")))
        await world.until(lambda: len(world.pods()) < 10)
        assert world.status("wide")["phase"] == "Running"

    play(lambda: World(tmp_path, behave, "WideFlow"), script)


def test_a_ledger_that_cannot_be_written_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_add", lambda kept, keys: 1 / 0)

    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until_condition("debug-1", "Complete")
        await asyncio.sleep(0.05)

    play(lambda: World(tmp_path), script)
