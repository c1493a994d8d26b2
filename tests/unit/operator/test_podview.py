"""From the API server's JSON to the slim value."""

from __future__ import annotations

from reflow.engine.events import Start
from reflow.values.key import TaskKey
from reflow_operator.podview import view
from tests.unit.operator.builders import OWNER, pod_object

START = Start(TaskKey("train", (17, 3), (2,)), attempt=1, launch=4)


def test_key_attempt_and_launch_come_back_exactly() -> None:
    pod = view(pod_object(START, {}))
    assert pod is not None
    assert (pod.key, pod.attempt, pod.launch) == (START.key, 1, 4)
    assert (pod.run, pod.run_uid, pod.version) == ("debug-1", OWNER.uid, 7)


def test_an_ended_container_tells_its_code_message_and_times() -> None:
    ended = {
        "exitCode": 1,
        "reason": "Error",
        "message": "{}",
        "startedAt": "2026-11-24T06:00:01Z",
        "finishedAt": "2026-11-24T06:00:05Z",
    }
    status = {
        "phase": "Failed",
        "containerStatuses": [
            {"name": "sidecar", "state": {"terminated": {"exitCode": 9}}},
            {"name": "task", "state": {"terminated": ended}},
        ],
    }
    pod = view(pod_object(START, status))
    assert pod is not None
    assert (pod.exit_code, pod.exit_reason, pod.termination) == (1, "Error", "{}")
    assert pod.finished is not None
    assert pod.started is not None
    assert pod.finished - pod.started == 4


def test_conditions_tell_of_scheduling_and_disruption() -> None:
    status = {
        "phase": "Pending",
        "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"},
            {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"},
        ],
    }
    pod = view(pod_object(START, status))
    assert pod is not None
    assert (pod.unschedulable, pod.disruption) == ("no room", "PreemptionByScheduler")


def test_waiting_for_ones_turn_is_nothing_to_tell_but_a_failing_pull_is() -> None:
    creating = {"name": "task", "state": {"waiting": {"reason": "ContainerCreating"}}}
    failing = {"name": "task", "state": {"waiting": {"reason": "ErrImagePull", "message": "no"}}}
    quiet = view(pod_object(START, {"containerStatuses": [creating]}))
    loud = view(pod_object(START, {"containerStatuses": [failing]}))
    assert quiet is not None
    assert loud is not None
    assert (quiet.waiting, loud.waiting) == ("", "ErrImagePull")


def test_a_pod_that_no_flowrun_owns_is_not_ours() -> None:
    assert view(pod_object(START, {}, ownerReferences=[])) is None
    assert view(pod_object(START, {}, labels={})) is None


def test_a_garbled_annotation_makes_it_no_tasks_pod() -> None:
    for text in ("no json", "[]", '{"step": 3, "foreach": ["x"]}'):
        pod = view(pod_object(START, {}, annotations={"reflow.dev/task": text}))
        assert pod is not None
        assert pod.key is None
