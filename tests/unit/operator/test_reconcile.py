"""A FlowRun from its object to its end, against a fake cluster and a real folder store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from reflow.manifests.types import ConditionType
from reflow.values.key import TaskKey
from reflow_operator import constants
from reflow_operator.constants import Reason
from reflow_operator.held import Held
from reflow_operator.kube.errors import Forbidden, Invalid, Retryable
from reflow_operator.podview import PodView
from tests.unit.operator.builders import DEBUG, WIDE, flowrun
from tests.unit.operator.fakekubelet import Ending
from tests.unit.operator.world import FLOWRUNS, PODS, World, play

COMPLETE, FAILED = "Complete", "Failed"


def succeed(pod: PodView) -> Ending:
    return Ending(width=20) if pod.key == TaskKey("start") else Ending()


def b_fails(pod: PodView) -> Ending:
    return Ending(error="2fail") if pod.key is not None and pod.key.step == "b" else Ending()


def play_one(
    tmp_path: Path, obj: dict[str, Any], behave: Any, until: str = COMPLETE, flow: str = "DebugFlow"
) -> World:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, obj)
        await world.until_condition(obj["metadata"]["name"], until)
        await world.settled()

    return play(lambda: World(tmp_path, behave, flow), script)


def test_a_run_goes_from_its_object_to_complete(tmp_path: Path) -> None:
    world = play_one(tmp_path, flowrun(), lambda pod: Ending())
    status = world.status("debug-1")
    assert (status["phase"], status["runID"], status["progress"]) == ("Complete", "k8s-debug-1", "5/5")
    assert status["counts"] == {"total": 5, "running": 0, "succeeded": 5, "failed": 0, "cloned": 0}
    end = world.store.end("k8s-debug-1")
    assert end is not None
    assert end.succeeded
    assert world.pods() == []


def test_the_manifest_holds_what_the_flowrun_asked_for_but_no_code(tmp_path: Path) -> None:
    world = play_one(tmp_path, flowrun(image="mine:1"), lambda pod: Ending())
    manifest = world.store.manifest("k8s-debug-1")
    assert (manifest.place, manifest.code.script, manifest.owner) == ("cluster", "debug.py", "00001-uid")
    assert manifest.request["image"] == "mine:1"
    assert "code" not in manifest.request
    assert manifest.code.sha256 is not None
    assert world.store.code(manifest.code.sha256)


def test_a_failing_step_fails_the_run_and_is_named(tmp_path: Path) -> None:
    world = play_one(tmp_path, flowrun(), b_fails, FAILED)
    status = world.status("debug-1")
    failure = status["failure"]
    assert (failure["step"], failure["task"], failure["message"]) == ("b", "0", "ValueError: 2fail")
    assert f"{PODS}/{failure['pod']}" in world.pods(), "the failed Pod stays"
    assert "Step b (task 0) failed" in world.condition("debug-1", FAILED)["message"]
    end = world.store.end("k8s-debug-1")
    assert end is not None
    assert (end.succeeded, end.failed_task) == (False, "b/0")
    reasons = [event["reason"] for event in world.cluster.of("events").values()]
    assert reasons.count(Reason.TASK_FAILED) <= 2


def test_a_foreach_runs_all_its_tasks_within_max_workers(tmp_path: Path) -> None:
    most = 0

    async def script(world: World) -> None:
        nonlocal most
        world.cluster.apply(FLOWRUNS, flowrun("wide", WIDE, "WideFlow", maxWorkers=3))
        while world.condition("wide", COMPLETE).get("status") != "True":
            running = [
                path
                for path in world.pods()
                if world.cluster.objects[path]["status"].get("phase") == "Running"
            ]
            most = max(most, len(running))
            for path in running[:1]:
                world.kubelet.end(path, Ending())
            await asyncio.sleep(0.002)

    def behave(pod: PodView) -> Ending:
        return Ending(running=True) if pod.key is not None and pod.key.step == "work" else succeed(pod)

    world = play(lambda: World(tmp_path, behave, "WideFlow"), script)
    assert most == 3
    assert world.status("wide")["progress"] == "23/23"


def test_a_retry_runs_with_the_next_attempt(tmp_path: Path) -> None:
    attempts: list[tuple[int, int]] = []

    def behave(pod: PodView) -> Ending:
        if pod.key == TaskKey("b"):
            attempts.append((pod.attempt, pod.launch))
            return Ending(error="no") if pod.attempt < 2 else Ending()
        return Ending()

    spec = {"steps": {"b": {"retries": 2, "retryDelaySeconds": 0}}}
    world = play_one(tmp_path, flowrun(**spec), behave)
    assert attempts == [(0, 0), (1, 1), (2, 2)]
    reasons = [event["reason"] for event in world.cluster.of("events").values()]
    assert reasons.count(Reason.RETRIED) == 1


NO_MESSAGE = {"record": True, "message": False}


@pytest.mark.parametrize(
    "strange",
    [
        Ending(message=False),
        Ending(message=False, vanish=True),
        Ending(vanish=True),
    ],
    ids=["no message", "vanished after its record", "vanished"],
)
def test_a_pod_that_finished_but_cannot_say_so_runs_no_second_time(tmp_path: Path, strange: Ending) -> None:
    world = play_one(tmp_path, flowrun(), lambda pod: strange if pod.key == TaskKey("b") else Ending())
    assert world.kubelet.launched[TaskKey("b")] == 1
    assert world.status("debug-1")["progress"] == "5/5"


def test_a_pod_that_vanished_without_a_record_is_run_again_and_no_retry_is_used_up(tmp_path: Path) -> None:
    attempts: list[int] = []

    def behave(pod: PodView) -> Ending:
        if pod.key == TaskKey("b"):
            attempts.append(pod.attempt)
            if len(attempts) < 3:
                return Ending(record=False, vanish=True)
        return Ending()

    play_one(tmp_path, flowrun(), behave)
    assert attempts == [0, 0, 0]


def test_out_of_memory_is_named_and_kept_in_the_store_with_the_end_of_the_log(tmp_path: Path) -> None:
    oom = Ending(record=False, message=False, exit_code=137)

    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.kubelet.launched.get(TaskKey("b")))
        path = world.pod_of("b")
        world.cluster.logs[f"{path}/log"] = "the last words\n"
        ended = {"exitCode": 137, "reason": "OOMKilled"}
        state = [{"name": "task", "state": {"terminated": ended}}]
        world.cluster.change(path, lambda it: it["status"].update(phase="Failed", containerStatuses=state))
        await world.until_condition("debug-1", FAILED)

    def behave(pod: PodView) -> Ending:
        return Ending(running=True) if pod.key == TaskKey("b") else Ending()

    world = play(lambda: World(tmp_path, behave), script)
    assert oom.exit_code == 137
    assert "Out of memory" in world.status("debug-1")["failure"]["message"]
    record = world.store.failure("k8s-debug-1", TaskKey("b"), 0)
    assert record is not None
    assert record.exception is not None
    assert "OOMKilled" in record.exception.message
    assert b"".join(frame.data for frame in world.store.log("k8s-debug-1", record)) == b"the last words\n"


BAD_CODE = {
    "not a flow": ("x = 1\n", "This is not a flow"),
    "no end": (DEBUG.replace("def end", "def finish").replace("self.end", "self.finish"), "'end'"),
    "does not parse": ("class DebugFlow(", "debug.py:1"),
    "another flow's name": (DEBUG.replace("DebugFlow", "OtherFlow"), "OtherFlow"),
}


@pytest.mark.parametrize(("code", "words"), BAD_CODE.values(), ids=BAD_CODE)
def test_bad_code_fails_the_flowrun_and_uses_no_run_id(tmp_path: Path, code: str, words: str) -> None:
    world = play_one(tmp_path, flowrun(code=code), lambda pod: Ending(), FAILED)
    condition = world.condition("debug-1", FAILED)
    assert condition["reason"] == Reason.INVALID_CODE
    assert words in condition["message"]
    assert "runID" not in world.status("debug-1")
    assert list(world.store.runs()) == []
    assert "finalizers" not in world.cluster.objects[f"{FLOWRUNS}/debug-1"]["metadata"]


PARAMETERS = """\
class DebugFlow(FlowSpec):
    alpha = Parameter("alpha", default=0.1)
    name = Parameter("name", required=True)
"""


def _with_parameters() -> str:
    code = DEBUG.replace("class DebugFlow(FlowSpec):\n", PARAMETERS)
    return code.replace("import FlowSpec, step", "import FlowSpec, Parameter, step")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"beta": 1, "name": "x"}, "no parameter 'beta'"),
        ({}, "spec.parameters.name"),
        ({"name": "x", "alpha": "y"}, "alpha"),
    ],
)
def test_wrong_parameters_fail_the_flowrun(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    obj = flowrun(code=_with_parameters(), parameters=given)
    world = play_one(tmp_path, obj, lambda pod: Ending(), FAILED)
    condition = world.condition("debug-1", FAILED)
    assert condition["reason"] == Reason.INVALID_PARAMETERS
    assert words in condition["message"]


def test_parameters_and_defaults_are_in_the_manifest(tmp_path: Path) -> None:
    world = play_one(
        tmp_path, flowrun(code=_with_parameters(), parameters={"name": "x"}), lambda pod: Ending()
    )
    assert world.store.manifest("k8s-debug-1").parameters == {"alpha": 0.1, "name": "x"}


def test_others_go_on_while_one_is_bad(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun("bad", code="x = 1"))
        world.cluster.apply(FLOWRUNS, flowrun("good"))
        await world.until_condition("good", COMPLETE)
        await world.until_condition("bad", FAILED)

    play(lambda: World(tmp_path), script)


def test_a_store_that_cannot_be_reached_is_told_and_tried_again(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.stores.held = Held(ConditionType.STORE_READY, Reason.STORE_UNAVAILABLE, "no answer", after=0.05)
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.condition("debug-1", "StoreReady").get("status") == "False")
        assert world.condition("debug-1", "StoreReady")["reason"] == Reason.STORE_UNAVAILABLE
        assert world.status("debug-1")["phase"] == "Pending"
        world.stores.held = None
        await world.until_condition("debug-1", COMPLETE)
        assert world.condition("debug-1", "StoreReady")["status"] == "True"

    play(lambda: World(tmp_path), script)


def test_a_restart_while_the_store_is_away_loses_nothing_that_the_status_said(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.status("debug-1").get("progress") == "0/1")
        before = world.status("debug-1")
        await world.kill()
        world.stores.held = Held(ConditionType.STORE_READY, Reason.STORE_UNAVAILABLE, "no answer", after=0.05)
        world.start()
        await world.until(lambda: world.condition("debug-1", "StoreReady").get("status") == "False")
        after = world.status("debug-1")
        assert {**after, "conditions": 0} == {**before, "conditions": 0}
        world.stores.held = None
        await world.until(lambda: world.condition("debug-1", "StoreReady")["status"] == "True")

    play(lambda: World(tmp_path, lambda pod: Ending(running=True)), script)


def test_pods_that_are_refused_are_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reflow_operator.reconcile.REFUSED_SECONDS", 0.05)
    refuse = True

    def fault(verb: str, path: str) -> Forbidden | None:
        over = verb == "create" and path == PODS and refuse
        return Forbidden(403, "Forbidden", "exceeded quota: team") if over else None

    async def script(world: World) -> None:
        nonlocal refuse
        world.cluster.fault = fault
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.condition("debug-1", "PodsReady").get("status") == "False")
        assert "exceeded quota" in world.condition("debug-1", "PodsReady")["message"]
        refuse = False
        await world.until_condition("debug-1", COMPLETE)

    play(lambda: World(tmp_path), script)


def test_a_pod_template_that_is_invalid_fails_the_run_in_words(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.fault = lambda verb, path: (
            Invalid(422, "Invalid", "spec.containers[0].image: Required")
            if (verb, path) == ("create", PODS)
            else None
        )
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until_condition("debug-1", FAILED)

    world = play(lambda: World(tmp_path), script)
    assert "refused as invalid: spec.containers[0].image" in world.status("debug-1")["failure"]["message"]


def test_suspending_lets_what_runs_finish_and_starts_nothing(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.kubelet.launched.get(TaskKey("start")))
        world.cluster.change(f"{FLOWRUNS}/debug-1", lambda it: it["spec"].update(suspend=True))
        await world.until_condition("debug-1", "Suspended")
        world.kubelet.end(world.pod_of("start"), Ending())
        await world.settled()
        assert TaskKey("a") not in world.kubelet.launched
        assert world.status("debug-1")["phase"] == "Suspended"
        world.cluster.change(f"{FLOWRUNS}/debug-1", lambda it: it["spec"].update(suspend=False))
        await world.until_condition("debug-1", COMPLETE)

    def behave(pod: PodView) -> Ending:
        return Ending(running=True) if pod.key == TaskKey("start") else Ending()

    play(lambda: World(tmp_path, behave), script)


def test_cancelling_stops_the_pods_and_ends_the_run(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.kubelet.launched.get(TaskKey("start")))
        world.cluster.change(f"{FLOWRUNS}/debug-1", lambda it: it["spec"].update(cancel=True))
        await world.until_condition("debug-1", FAILED)
        assert world.condition("debug-1", FAILED)["reason"] == Reason.CANCELLED
        assert world.status("debug-1")["phase"] == "Cancelled"
        assert world.pods() == []

    world = play(lambda: World(tmp_path, lambda pod: Ending(running=True)), script)
    end = world.store.end("k8s-debug-1")
    assert end is not None
    assert not end.succeeded


def test_deleting_a_flowrun_stops_its_pods_and_writes_the_runs_end(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.kubelet.launched.get(TaskKey("start")))
        assert constants.FINALIZER in world.cluster.objects[f"{FLOWRUNS}/debug-1"]["metadata"]["finalizers"]
        await world.cluster.delete(f"{FLOWRUNS}/debug-1")
        await world.until(lambda: f"{FLOWRUNS}/debug-1" not in world.cluster.objects)
        assert world.pods() == []

    world = play(lambda: World(tmp_path, lambda pod: Ending(running=True)), script)
    assert world.store.end("k8s-debug-1") is not None


def test_a_flowrun_deleted_long_ago_still_has_its_pods_stopped_and_its_end_written(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.kubelet.launched.get(TaskKey("start")))
        await world.kill()
        long_ago = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
        world.cluster.change(f"{FLOWRUNS}/debug-1", lambda it: it["metadata"].update(long_ago))
        world.start()
        await world.until(lambda: f"{FLOWRUNS}/debug-1" not in world.cluster.objects)
        await world.until(lambda: world.pods() == [])

    world = play(lambda: World(tmp_path, lambda pod: Ending(running=True)), script)
    assert world.store.end("k8s-debug-1") is not None


def test_a_deleted_flowrun_is_let_go_after_a_while_even_if_its_store_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "FINALIZER_PATIENCE", 0.1)

    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.kubelet.launched.get(TaskKey("start")))
        world.stores.held = Held(ConditionType.STORE_READY, Reason.STORE_UNAVAILABLE, "no answer", after=0.05)
        await world.cluster.delete(f"{FLOWRUNS}/debug-1")
        await world.until(lambda: f"{FLOWRUNS}/debug-1" not in world.cluster.objects)

    play(lambda: World(tmp_path, lambda pod: Ending(running=True)), script)


def test_a_run_past_its_deadline_fails(tmp_path: Path) -> None:
    world = play_one(tmp_path, flowrun(activeDeadlineSeconds=1), lambda pod: Ending(running=True), FAILED)
    assert world.condition("debug-1", FAILED)["reason"] == Reason.DEADLINE


def test_a_finished_flowrun_goes_when_its_time_to_live_is_over(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun(ttlSecondsAfterFinished=0))
        await world.until(lambda: f"{FLOWRUNS}/debug-1" not in world.cluster.objects)

    world = play(lambda: World(tmp_path), script)
    assert world.store.end("k8s-debug-1") is not None


def test_the_same_object_made_again_adopts_its_finished_run(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until_condition("debug-1", COMPLETE)
        await world.settled()
        await world.cluster.delete(f"{FLOWRUNS}/debug-1")
        launched = dict(world.kubelet.launched)
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until_condition("debug-1", COMPLETE)
        assert world.status("debug-1")["runID"] == "k8s-debug-1"
        assert world.kubelet.launched == launched

        await world.settled()
        await world.cluster.delete(f"{FLOWRUNS}/debug-1")
        obj = flowrun()
        obj["metadata"]["annotations"] = {constants.ANNOTATION_RUN_AGAIN: "true"}
        made = world.cluster.apply(FLOWRUNS, obj)
        await world.until_condition("debug-1", COMPLETE)
        assert world.status("debug-1")["runID"] == f"k8s-debug-1-{made['metadata']['uid'][:5]}"
        assert world.kubelet.launched != launched

    play(lambda: World(tmp_path), script)


def test_another_spec_under_the_same_name_is_another_run(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until_condition("debug-1", COMPLETE)
        await world.settled()
        await world.cluster.delete(f"{FLOWRUNS}/debug-1")
        world.cluster.apply(FLOWRUNS, flowrun(image="other:1"))
        await world.until_condition("debug-1", COMPLETE)
        assert world.status("debug-1")["runID"] != "k8s-debug-1"

    play(lambda: World(tmp_path), script)


def test_a_script_that_cannot_be_loaded_fails_the_flowrun_and_gives_its_run_id_back(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.kubelet.launched.get(TaskKey("start")))
        said = '{"v": 1, "status": "unloadable", "error": "ModuleNotFoundError: No module named numpy"}'
        state = [{"name": "task", "state": {"terminated": {"exitCode": 1, "message": said}}}]
        path = world.pod_of("start")
        world.cluster.change(path, lambda it: it["status"].update(phase="Failed", containerStatuses=state))
        await world.until_condition("debug-1", FAILED)
        assert world.condition("debug-1", FAILED)["reason"] == Reason.INVALID_CODE
        assert "numpy" in world.condition("debug-1", FAILED)["message"]
        assert list(world.store.runs()) == []

    play(lambda: World(tmp_path, lambda pod: Ending(running=True)), script)


def test_an_api_server_that_hiccups_delays_and_harms_nothing(tmp_path: Path) -> None:
    count = 0

    def fault(verb: str, path: str) -> Retryable | None:
        nonlocal count
        count += 1
        return Retryable(503, "", "later", after=0.0) if count % 5 == 0 else None

    async def script(world: World) -> None:
        world.cluster.fault = fault
        world.cluster.apply(FLOWRUNS, flowrun("wide", WIDE, "WideFlow"))
        await world.until_condition("wide", COMPLETE)

    play(lambda: World(tmp_path, succeed, "WideFlow"), script)


def test_a_run_id_stays_used_where_another_pod_of_the_run_may_have_left_a_result(tmp_path: Path) -> None:
    """The first Pod was lost, and may still commit; the second finds that the script can't be loaded."""

    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until(lambda: world.kubelet.launched.get(TaskKey("start")) == 2)
        said = '{"v": 1, "status": "unloadable", "error": "ModuleNotFoundError: No module named numpy"}'
        state = [{"name": "task", "state": {"terminated": {"exitCode": 1, "message": said}}}]
        path = world.pod_of("start")
        world.cluster.change(path, lambda it: it["status"].update(phase="Failed", containerStatuses=state))
        await world.until_condition("debug-1", FAILED)
        assert world.condition("debug-1", FAILED)["reason"] == Reason.INVALID_CODE
        assert list(world.store.runs()) == ["k8s-debug-1"]
        end = world.store.end("k8s-debug-1")
        assert end is not None
        assert not end.succeeded
        assert "numpy" in end.message

    launches: list[int] = []

    def behave(pod: PodView) -> Ending:
        launches.append(pod.launch)
        return Ending(record=False, vanish=True) if len(launches) == 1 else Ending(running=True)

    play(lambda: World(tmp_path, behave), script)


def test_the_run_id_is_in_the_status_before_the_first_pod_is_made(tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def script(world: World) -> None:
        changed = world.cluster.on_change

        def look(kind: str, path: str, obj: dict[str, Any]) -> None:
            if kind == "ADDED" and path.startswith(PODS):
                seen.append(world.status("debug-1").get("runID"))
            changed(kind, path, obj)

        world.cluster.on_change = look
        world.cluster.apply(FLOWRUNS, flowrun())
        await world.until_condition("debug-1", COMPLETE)

    play(lambda: World(tmp_path), script)
    assert set(seen) == {"k8s-debug-1"}


def test_a_package_that_is_too_large_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reflow_operator.opening.PACKAGE_LIMIT", 1 << 20)
    world = World(tmp_path)
    sha256 = world.store.put_code(b"#" * ((1 << 20) + 1))
    obj = flowrun()
    obj["spec"]["code"] = {"package": sha256, "script": "debug.py"}

    async def script(world: World) -> None:
        world.store.put_code(b"#" * ((1 << 20) + 1))
        world.cluster.apply(FLOWRUNS, obj)
        await world.until_condition("debug-1", FAILED)
        condition = world.condition("debug-1", FAILED)
        assert condition["reason"] == Reason.INVALID_CODE
        assert f"The code package {sha256} is larger than 1 MiB. Keep data out of it." in condition["message"]
        assert list(world.store.runs()) == []

    play(lambda: World(tmp_path), script)
