"""Flows of every kind, in Pods. All are applied at once, and each test waits for its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reflow import Run, Task
from tests.e2e.kubectl import Json
from tests.e2e.laptop import Laptop
from tests.e2e.manifests import EXAMPLES, flow, flowrun
from tests.e2e.site import Team

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
TEAM = "flows"


def memory(step: str, limit: str) -> Json:
    return {step: {"resources": {"limits": {"memory": limit}, "requests": {"memory": limit}}}}


@pytest.fixture(scope="module", autouse=True)
def applied(team: Team) -> None:
    told = {"alpha": 2, "name": "x", "flag": True, "spec": {"a": [1, None]}}
    in_image = {
        "containers": [{"name": "task", "volumeMounts": [{"name": "app", "mountPath": "/app"}]}],
        "volumes": [{"name": "app", "configMap": {"name": "app"}}],
    }
    image = team.site.shell.environment["REFLOW_TEST_PYTHON_IMAGE"]
    metaflows = (EXAMPLES / "debug" / "debug_metaflow.py").read_text().replace("2fail", "2")
    app = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "app"}}
    team.apply({**app, "data": {"looping.py": flow("looping")}})
    team.apply(
        flowrun("linear", "LinearFlow", flow("linear"), parameters=told),
        flowrun("nested", "NestedFlow", flow("nested")),
        flowrun("tolerant", "TolerantFlow", flow("tolerant")),
        flowrun("sandbox", "SandboxFlow", flow("sandbox")),
        flowrun("greedy", "GreedyFlow", flow("greedy"), steps=memory("start", "100Mi")),
        flowrun("foreign", "ForeignFlow", flow("foreign")),
        flowrun("alias", "DebugFlow", metaflows),
        flowrun(
            "in-image",
            "LoopFlow",
            code={"image": {"path": "/app/looping.py"}},
            image=image,
            podTemplate={"spec": in_image},
        ),
        flowrun("big", "BigFlow", flow("big"), steps={**memory("start", "400Mi"), **memory("end", "400Mi")}),
    )


def data(team: Team, pathspec: str) -> Any:
    return Task(pathspec, store=team.bucket.url).data


def test_a_line_of_steps_with_parameters_and_a_class_of_the_script(team: Team) -> None:
    team.wait("linear", "Complete")
    start = Task("LinearFlow/k8s-linear/start/0", store=team.bucket.url)
    assert start.stdout == "to stdout, größer\n"
    assert start.stderr == "to stderr\n"
    assert start.data.seen == [2.0, "x", True, {"a": [1, None]}]
    assert start.data.bytes == b"\0\1"
    middle = data(team, "LinearFlow/k8s-linear/middle/0")
    assert middle.sum == 7
    run = "k8s-linear"
    assert middle.told == ["LinearFlow", run, "middle", "0", f"LinearFlow/{run}/middle/0", 0, None]
    assert "[7, [2.0" in Task("LinearFlow/k8s-linear/end/0", store=team.bucket.url).stdout


def test_nested_foreach_in_a_branch_with_merged_artifacts(team: Team) -> None:
    team.wait("nested", "Complete", timeout=150)
    end = data(team, "NestedFlow/k8s-nested/end/0")
    assert (end.common, end.z) == ("c", 9)
    assert end.table == [[(2, 0, 0, [0, 0]), (2, 1, 1, [0, 1])], [(1, 0, 0, [1, 0])]]
    counts = {step["name"]: step["total"] for step in team.status("nested")["steps"]}
    assert counts == {
        "start": 1, "aside": 1, "rows": 1, "row": 2, "cell": 3, "row_join": 2, "rows_join": 1, "both": 1, "end": 1,
    }  # fmt: skip


def test_retry_catch_and_timeout(team: Team) -> None:
    status = team.wait("tolerant", "Complete", timeout=150)
    join = data(team, "TolerantFlow/k8s-tolerant/join/0")
    assert join.tries == 2
    assert "not there" in join.caught
    assert "1 second" in join.late
    assert status["counts"]["failed"] == 0
    assert any(event.startswith("TaskRetried: Task flaky/0 failed") for event in team.events("tolerant"))
    assert len(list(Run("TolerantFlow/k8s-tolerant", store=team.bucket.url)["flaky"])) == 1


def test_a_task_sees_a_small_and_closed_world(team: Team) -> None:
    team.wait("sandbox", "Complete")
    seen = data(team, "SandboxFlow/k8s-sandbox/start/0")
    assert seen.user == 65532
    assert seen.cwd == seen.home == "/work/reflow"
    assert not seen.token
    assert seen.root == "Read-only file system"
    assert set(seen.secrets) == {"REFLOW_STORE_SECRET"}, "the store's keys aren't in the environment"
    assert seen.task is None


def test_a_task_that_runs_out_of_memory_says_so_and_its_log_is_kept(team: Team) -> None:
    status = team.wait("greedy", "Failed")
    assert "OOMKilled" in status["failure"]["message"]
    assert status["failure"]["step"] == "start"
    assert "OOMKilled" in team.describe("flowrun", "greedy")
    assert "eating" in Task("GreedyFlow/k8s-greedy/start/0", store=team.bucket.url).stdout


def test_200_mb_pass_through_pods_of_400_mi(team: Team) -> None:
    status = team.over("big", timeout=150)
    assert status["phase"] == "Complete", status
    end = Task("BigFlow/k8s-big/end/0", store=team.bucket.url)
    assert end.data.size == 200 << 20
    assert int(end.stdout.split()[1]) < 300_000, "KiB: the value, and little more"


def test_code_in_the_image_is_read_by_a_first_pod(team: Team) -> None:
    team.wait("in-image", "Complete", timeout=150)
    end = Task("LoopFlow/k8s-in-image/end/0", store=team.bucket.url)
    assert end.stdout == "3 left\n"
    steps = {step["name"]: step["total"] for step in team.status("in-image")["steps"]}
    assert steps == {"start": 1, "work": 3, "choose": 1, "left": 1, "end": 1}
    assert {task.id for task in Run("LoopFlow/k8s-in-image", store=team.bucket.url)["work"]} == {
        "0.0", "0.1", "0.2",
    }  # fmt: skip


def test_a_file_written_for_metaflow_runs_as_it_is(team: Team) -> None:
    team.wait("alias", "Complete", timeout=150)
    assert "total is 3" in Task("DebugFlow/k8s-alias/join/0", store=team.bucket.url).stdout


def test_code_packaged_on_the_laptop_runs_in_the_cluster(team: Team, laptop: Laptop) -> None:
    laptop.write("packaged.py", flow("packaged"))
    laptop.write("sibling.py", "class Thing:\n    def __init__(self, word):\n        self.word = word\n")
    said = laptop.plays("reflow", "package", "packaged.py", "--store", team.bucket.url, code=0)
    sha256 = next(word for word in said.replace(":", " ").split() if len(word) == 64)
    team.apply(flowrun("packaged", "PackagedFlow", code={"package": sha256, "script": "packaged.py"}))
    team.wait("packaged", "Complete")
    assert Task("PackagedFlow/k8s-packaged/end/0", store=team.bucket.url).stdout == "from beside\n"


def test_a_value_that_wont_load_elsewhere_says_what_made_it(team: Team, laptop: Laptop) -> None:
    team.over("foreign")
    status = team.wait("foreign", "Failed")
    assert "onlypod 1.2" in json.dumps(status["failure"]["message"])
    start = data(team, "ForeignFlow/k8s-foreign/start/0")
    assert start.plain == 7
    with pytest.raises(Exception, match=r"onlypod") as caught:
        _ = start.thing
    assert "onlypod 1.2" in str(caught.value)
    laptop.write("foreign.py", flow("foreign"))
    where = ("--store", team.bucket.url, "--origin-run-id", "k8s-foreign")
    said = laptop.plays("python", "foreign.py", "resume", *where, code=1)
    assert "onlypod 1.2" in said
    assert "Step use (task-id 0) failed." in said


def test_every_pod_of_the_suite_was_taken_by_the_restricted_standard(team: Team, tmp_path: Path) -> None:
    pod = json.dumps(team.pods()[0]["spec"])
    assert '"automountServiceAccountToken": false' in pod
    assert '"readOnlyRootFilesystem": true' in pod
    assert '"image": {' in pod, "the runtime comes by an image volume"
