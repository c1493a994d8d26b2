"""A Resume: which run it goes on from, what it makes, what it reuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reflow.values.key import TaskKey
from reflow_operator import constants
from reflow_operator.constants import Reason
from reflow_operator.podview import PodView
from tests.unit.operator.builders import DEBUG, flowrun, resume
from tests.unit.operator.fakekubelet import Ending
from tests.unit.operator.world import FLOWRUNS, RESUMES, World, play

FIXED = DEBUG.replace("'2fail'", "'2'")
CODE = {"inline": FIXED, "script": "debug.py"}


def b_fails_once(pod: PodView) -> Ending:
    broken = pod.key == TaskKey("b") and pod.run == "debug-1"
    return Ending(error="2fail") if broken else Ending()


async def failed(world: World) -> None:
    world.cluster.apply(FLOWRUNS, flowrun(image="mine:1"))
    await world.until_condition("debug-1", "Failed")
    await world.settled()


def play_after_failure(tmp_path: Path, script: Any, behave: Any = b_fails_once) -> World:
    async def whole(world: World) -> None:
        await failed(world)
        world.kubelet.launched.clear()
        await script(world)

    return play(lambda: World(tmp_path, behave), whole)


def test_only_what_failed_and_what_comes_after_runs_again(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(RESUMES, resume("debug-2", originRef={"name": "debug-1"}, code=CODE))
        await world.until_condition("debug-2", "Complete", RESUMES)

    world = play_after_failure(tmp_path, script)
    assert sorted(key.step for key in world.kubelet.launched) == ["b", "end", "join"]
    status = world.status("debug-2", RESUMES)
    assert (status["originRunID"], status["runID"], status["flowRun"]) == (
        "k8s-debug-1",
        "k8s-debug-2",
        "debug-2",
    )
    assert status["progress"] == "5/5"
    assert status["counts"]["cloned"] == 2
    manifest = world.store.manifest("k8s-debug-2")
    assert manifest.clones == {"k8s-debug-1": (TaskKey("start"), TaskKey("a"))}
    made = world.cluster.objects[f"{FLOWRUNS}/debug-2"]
    assert made["spec"]["image"] == "mine:1", "what the Resume doesn't set is the origin's"
    assert made["metadata"]["ownerReferences"][0]["kind"] == "Resume"


def test_from_step_runs_that_step_and_all_after_it(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        spec = {"originRef": {"name": "debug-1"}, "fromStep": "a", "code": CODE}
        world.cluster.apply(RESUMES, resume("debug-2", **spec))
        await world.until_condition("debug-2", "Complete", RESUMES)

    world = play_after_failure(tmp_path, script)
    assert sorted(key.step for key in world.kubelet.launched) == ["a", "b", "end", "join"]
    assert [note["step"] for note in world.status("debug-2", RESUMES)["again"]] == ["a"]


def test_a_resume_of_a_resume_clones_from_both(tmp_path: Path) -> None:
    def behave(pod: PodView) -> Ending:
        if pod.key == TaskKey("join") and pod.run == "debug-2":
            return Ending(error="join broke")
        return b_fails_once(pod)

    async def script(world: World) -> None:
        world.cluster.apply(RESUMES, resume("debug-2", originRef={"name": "debug-1"}, code=CODE))
        await world.until_condition("debug-2", "Failed", RESUMES)
        await world.settled()
        world.cluster.apply(RESUMES, resume("debug-3", originRef={"name": "debug-2"}))
        await world.until_condition("debug-3", "Complete", RESUMES)

    world = play_after_failure(tmp_path, script, behave)
    clones = world.store.manifest("k8s-debug-3").clones
    assert clones == {"k8s-debug-1": (TaskKey("start"), TaskKey("a")), "k8s-debug-2": (TaskKey("b"),)}


def test_the_origins_object_may_be_gone_where_the_run_is_named(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        await world.cluster.delete(f"{FLOWRUNS}/debug-1")
        await world.settled()
        world.cluster.apply(RESUMES, resume("debug-2", originRunID="k8s-debug-1", code=CODE))
        await world.until_condition("debug-2", "Complete", RESUMES)

    world = play_after_failure(tmp_path, script)
    assert world.cluster.objects[f"{FLOWRUNS}/debug-2"]["spec"]["image"] == "mine:1"


def test_without_code_of_its_own_it_takes_the_runs_code_from_the_store(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        await world.cluster.delete(f"{FLOWRUNS}/debug-1")
        await world.settled()
        world.cluster.apply(RESUMES, resume("debug-2", originRunID="k8s-debug-1"))
        await world.until_condition("debug-2", "Complete", RESUMES)

    world = play_after_failure(tmp_path, script)
    code = [world.store.manifest(run).code for run in ("k8s-debug-1", "k8s-debug-2")]
    assert code[0] == code[1]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"originRef": {"name": "nobody"}}, Reason.ORIGIN_NOT_FOUND),
        ({"originRunID": "k8s-nobody"}, Reason.ORIGIN_NOT_FOUND),
        ({"originRef": {"name": "debug-1"}, "fromStep": "nowhere"}, Reason.INVALID_SPEC),
        ({"originRef": {"name": "debug-1"}, "code": {"inline": "x = 1"}}, Reason.INVALID_CODE),
    ],
)
def test_a_resume_that_cannot_begin_says_why_and_uses_no_run_id(
    tmp_path: Path, spec: dict[str, Any], reason: str
) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(RESUMES, resume("debug-2", **spec))
        condition = await world.until_condition("debug-2", "Failed", RESUMES)
        assert condition["reason"] == reason
        assert list(world.store.runs()) == ["k8s-debug-1"]

    play_after_failure(tmp_path, script)


def test_a_run_that_still_runs_is_not_resumed(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.kubelet.launched.get(TaskKey("start")))
        world.cluster.apply(RESUMES, resume("by-name", originRef={"name": "debug-1"}))
        condition = await world.until_condition("by-name", "Failed", RESUMES)
        assert condition["reason"] == Reason.ORIGIN_RUNNING
        world.cluster.apply(RESUMES, resume("by-run", originRunID="k8s-debug-1"))
        condition = await world.until_condition("by-run", "Failed", RESUMES)
        assert condition["reason"] == Reason.ORIGIN_RUNNING

    play(lambda: World(tmp_path, lambda pod: Ending(running=True)), script)


def test_a_flowrun_of_its_name_that_is_not_its_own_is_left_alone(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun("debug-2"))
        world.cluster.apply(RESUMES, resume("debug-2", originRef={"name": "debug-1"}, code=CODE))
        condition = await world.until_condition("debug-2", "Failed", RESUMES)
        assert condition["reason"] == Reason.NAME_TAKEN
        await world.until_condition("debug-2", "Complete")

    play_after_failure(tmp_path, script)


def test_the_origin_is_never_looked_up_again_once_it_is_written(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        obj = resume("debug-2", originRef={"name": "debug-1"}, code=CODE)
        obj["status"] = {"originRunID": "k8s-debug-1"}
        world.cluster.objects.pop(f"{FLOWRUNS}/debug-1")
        other = flowrun("debug-1")
        other["status"] = {"runID": "another"}
        world.cluster.objects[f"{FLOWRUNS}/debug-1"] = world.cluster.apply("/elsewhere/flowruns", other)
        world.cluster.apply(RESUMES, obj)
        await world.until_condition("debug-2", "Complete", RESUMES)

    world = play_after_failure(tmp_path, script)
    origin = world.store.manifest("k8s-debug-2").origin
    assert origin is not None
    assert origin.run == "k8s-debug-1"


def test_what_may_change_in_a_resume_changes_in_its_flowrun(tmp_path: Path) -> None:
    def behave(pod: PodView) -> Ending:
        return Ending(running=True) if pod.run == "debug-2" else b_fails_once(pod)

    async def script(world: World) -> None:
        world.cluster.apply(RESUMES, resume("debug-2", originRef={"name": "debug-1"}, code=CODE))
        await world.until(lambda: world.kubelet.launched.get(TaskKey("b")))
        world.cluster.change(f"{RESUMES}/debug-2", lambda it: it["spec"].update(cancel=True))
        condition = await world.until_condition("debug-2", "Failed", RESUMES)
        assert condition["reason"] == Reason.CANCELLED

    play_after_failure(tmp_path, script, behave)


def test_a_resume_whose_flowrun_was_deleted_does_not_run_again(tmp_path: Path) -> None:
    def behave(pod: PodView) -> Ending:
        return Ending(running=True) if pod.run == "debug-2" else b_fails_once(pod)

    async def script(world: World) -> None:
        world.cluster.apply(RESUMES, resume("debug-2", originRef={"name": "debug-1"}, code=CODE))
        await world.until(lambda: world.status("debug-2", RESUMES).get("runID"))
        await world.cluster.delete(f"{FLOWRUNS}/debug-2")
        condition = await world.until_condition("debug-2", "Failed", RESUMES)
        assert condition["reason"] == Reason.DELETED
        assert constants.FLOWRUNS in FLOWRUNS
        await world.until(lambda: f"{FLOWRUNS}/debug-2" not in world.cluster.objects)

    play_after_failure(tmp_path, script, behave)
