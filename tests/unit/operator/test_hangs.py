"""Sequences that once left a run hanging: each ends now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reflow.engine.events import Failed
from reflow.graph.build import from_text
from reflow.graph.digest import digest
from reflow.store.flowstore import FlowStore
from reflow.store.folder import FolderStore
from reflow.store.values import CodeRef, Manifest, Record, Status
from reflow.values.key import TaskKey
from reflow_operator.ends import Fault, Unclear
from reflow_operator.kube.errors import Retryable
from reflow_operator.looking import look_up
from tests.unit.operator.builders import DEBUG, flowrun, resume
from tests.unit.operator.fakekubelet import Ending
from tests.unit.operator.test_resumes import CODE, RESUMES, b_fails_once, failed
from tests.unit.operator.world import FLOWRUNS, World, play


def test_a_create_whose_answer_was_lost_while_its_pod_ended_is_not_waited_for(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        create, lost = world.cluster.create, []

        async def losing(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
            answer = await create(path, body)
            if not lost and body["kind"] == "Pod" and "-a-" in body["metadata"]["name"]:
                lost.append(body["metadata"]["name"])
                await asyncio.sleep(0.3)  # the Pod runs and ends meanwhile
                raise Retryable(0, "NoAnswer", "the answer was lost", after=1.0)
            return answer

        world.cluster.create = losing  # type: ignore[method-assign]
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until_condition("debug-1", "Complete")
        assert lost

    play(lambda: World(tmp_path, lambda pod: Ending(), "DebugFlow"), script)


def test_a_resume_made_again_waits_until_its_predecessors_flowrun_is_gone(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        await failed(world)
        made = resume("debug-2", originRef={"name": "debug-1"}, code=CODE)
        world.cluster.apply(RESUMES, made)
        await world.until_condition("debug-2", "Complete", RESUMES)
        await world.settled()
        world.cluster.remove(f"{RESUMES}/debug-2")
        world.cluster.apply(RESUMES, resume("debug-2", originRef={"name": "debug-1"}, code=CODE))
        await world.settled()
        assert not world.condition("debug-2", "Failed", RESUMES)
        world.cluster.remove(f"{FLOWRUNS}/debug-2")  # as the garbage collector does, a moment later
        await world.until_condition("debug-2", "Complete", RESUMES)

    play(lambda: World(tmp_path, b_fails_once), script)


def test_the_record_of_an_earlier_launch_counts_for_the_launch_that_was_asked_about(tmp_path: Path) -> None:
    store = FlowStore(FolderStore(tmp_path), "DebugFlow")
    graph = from_text(DEBUG, "debug.py").graph
    owned = Manifest("DebugFlow", "k8s-debug-1", "u", 1.0, graph, digest(graph), CodeRef("debug.py"))
    store.claim(lambda run: owned, "k8s-debug-1")
    key = TaskKey("b")
    late = Record(key, 0, launch=0, nonce="n", status=Status.FAILED, started=1.0, ended=2.0)
    store.commit("k8s-debug-1", late)
    found = look_up(store, "k8s-debug-1", Unclear(key, 0, 1, 3.0, Fault("gone", final=False)))
    assert isinstance(found, Failed)
    assert (found.attempt, found.launch) == (0, 1)
