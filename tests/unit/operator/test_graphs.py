"""Code whose graph only running it tells: a Pod says it, and only then is a run id used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reflow.graph.build import from_text
from reflow.graph.codec import graph_to_json
from reflow.graph.digest import digest
from reflow_operator.constants import Reason
from tests.unit.operator.builders import DEBUG, flowrun
from tests.unit.operator.world import FLOWRUNS, World, play

OPEN = DEBUG.replace("class DebugFlow", "setattr(FlowSpec, 'x', 1)\nclass DebugFlow").replace(
    "    @step\n    def start", "    globals()\n    exec('y = 1')\n\n    @step\n    def start", 1
)


def _task(world: World) -> dict[str, Any]:
    path = world.pod_of("graph")
    env = world.cluster.objects[path]["spec"]["containers"][0]["env"]
    return dict(json.loads(next(entry["value"] for entry in env if entry["name"] == "REFLOW_TASK")))


def _end(world: World, phase: str, said: dict[str, Any]) -> None:
    ended = {"exitCode": int(phase == "Failed"), "message": json.dumps({"v": 1, **said})}
    state = [{"name": "task", "state": {"terminated": ended}}]
    world.cluster.change(
        world.pod_of("graph"), lambda it: it["status"].update(phase=phase, containerStatuses=state)
    )


async def _until_the_pod_is_there(world: World) -> None:
    await world.until(lambda: any("-graph-" in path for path in world.pods()))


def test_a_pod_tells_the_graph_and_the_run_goes_on_from_there(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun(code=OPEN, parameters={"alpha": 1}))
        await _until_the_pod_is_there(world)
        assert list(world.store.runs()) == []
        task = _task(world)
        assert (task["op"], task["flow"], task["script"]) == ("graph", "DebugFlow", "debug.py")
        assert task["parameters"] == {"alpha": 1}
        assert world.store.code(task["code"]) == OPEN.encode()
        graph = from_text(DEBUG, "debug.py").graph
        answer = {"v": 1, "graph": graph_to_json(graph), "digest": digest(graph), "values": {"alpha": 1.0}}
        world.store.objects.put(task["put"], json.dumps(answer).encode())
        _end(world, "Succeeded", {"status": "succeeded"})
        await world.until_condition("debug-1", "Complete")
        await world.settled()
        assert not any("-graph-" in path for path in world.pods())

    world = play(lambda: World(tmp_path), script)
    assert world.store.manifest("k8s-debug-1").parameters == {"alpha": 1.0}


def test_a_script_that_cannot_be_loaded_fails_the_flowrun(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun(code=OPEN))
        await _until_the_pod_is_there(world)
        _end(world, "Failed", {"status": "unloadable", "error": "No module named numpyy"})
        condition = await world.until_condition("debug-1", "Failed")
        assert condition["reason"] == Reason.INVALID_CODE
        assert "numpyy" in condition["message"]
        assert list(world.store.runs()) == []

    play(lambda: World(tmp_path), script)


def test_parameters_that_the_script_refuses_fail_it_too(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun(code=OPEN))
        await _until_the_pod_is_there(world)
        _end(world, "Failed", {"status": "unloadable", "of": "parameters", "error": "alpha is required"})
        condition = await world.until_condition("debug-1", "Failed")
        assert condition["reason"] == Reason.INVALID_PARAMETERS

    play(lambda: World(tmp_path), script)


def test_a_pod_that_was_taken_away_is_started_again(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun(code=OPEN))
        await _until_the_pod_is_there(world)
        first = world.cluster.objects[world.pod_of("graph")]["metadata"]["uid"]
        world.cluster.remove(world.pod_of("graph"))
        await _until_the_pod_is_there(world)
        assert world.cluster.objects[world.pod_of("graph")]["metadata"]["uid"] != first

    play(lambda: World(tmp_path), script)
