"""A Pod's runner as the process that it is: what it reads from its environment, what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from reflow.engine.events import Start
from reflow.store.package import pack_files
from reflow.store.values import Status
from reflow.task.spec import TaskSpec
from reflow.values.key import TaskKey
from tests.integration.task.scene import Scene
from tests.integration.task.test_steps import linear


class Pod:
    """A container's surroundings, more or less: a working directory, a file for the message, an environment."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.work.mkdir()
        self.message = folder / "termination-log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path("runtime").absolute()),
            "REFLOW_TERMINATION_LOG": str(self.message),
        }

    def start(self, task: dict[str, Any]) -> subprocess.Popen[str]:
        """Start the runner."""
        return subprocess.Popen(
            [sys.executable, "-m", "reflow.task.pod"],
            cwd=self.work,
            env={**self.environment, "REFLOW_TASK": json.dumps(task)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, task: dict[str, Any]) -> tuple[int, str, str]:
        """Exit code, output and errors."""
        process = self.start(task)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def said(self) -> dict[str, Any]:
        """The termination message."""
        found: dict[str, Any] = json.loads(self.message.read_text())
        assert self.message.stat().st_size <= 2048
        return found


def spec_of(scene: Scene, key: TaskKey, **changes: Any) -> TaskSpec:
    """A task whose code is a package in the store, as the operator describes it."""
    code = scene.store.put_code(scene.script.read_bytes())
    return scene.spec(scene.claim(), Start(key), code=code, script="flow.py", **changes)


def test_a_task_runs_from_its_code_package_and_says_so(scene_of: Any, tmp_path: Path) -> None:
    scene = scene_of(linear("print('hello')\nself.x = 1"))
    pod = Pod(tmp_path)
    spec = spec_of(scene, TaskKey("start"))
    code, out, err = pod.run(spec.to_json())
    assert (code, out, err) == (0, "hello\n", "")
    assert pod.said() == {"v": 1, "status": "succeeded", "attempt": 0}
    record = scene.store.result(spec.run, spec.key)
    assert record is not None
    assert record.status is Status.SUCCEEDED
    assert [frame.data for frame in scene.store.log(spec.run, record)] == [b"hello\n"]


def test_a_task_that_has_its_result_is_not_run_again(scene_of: Any, tmp_path: Path) -> None:
    scene = scene_of(linear("print('hello')"))
    pod = Pod(tmp_path)
    spec = spec_of(scene, TaskKey("start"))
    pod.run(spec.to_json())
    code, out, _ = pod.run(spec.to_json())
    assert code == 0
    assert "hello" not in out
    assert pod.said()["status"] == "succeeded"


def test_a_foreach_tells_its_width_and_never_a_value(scene_of: Any, tmp_path: Path) -> None:
    source = """
    class Wide(FlowSpec):
        @step
        def start(self):
            self.secrets = ['hush', 'hush2', 'hush3']
            self.next(self.body, foreach='secrets')

        @step
        def body(self):
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass
    """
    scene = scene_of(source)
    pod = Pod(tmp_path)
    pod.run(spec_of(scene, TaskKey("start")).to_json())
    assert pod.said() == {"v": 1, "status": "succeeded", "attempt": 0, "width": 3}


def test_a_failure_tells_one_line_and_shows_the_users_frames(scene_of: Any, tmp_path: Path) -> None:
    scene = scene_of(linear("raise ValueError('no\\nsecond line ' + 'x' * 5000)"))
    pod = Pod(tmp_path)
    code, _, err = pod.run(spec_of(scene, TaskKey("start")).to_json())
    assert code == 1
    assert pod.said() == {"v": 1, "status": "failed", "attempt": 0, "error": "ValueError: no"}
    assert 'File "flow.py", line ' in err


def test_a_script_that_does_not_import_is_unloadable(scene_of: Any, tmp_path: Path) -> None:
    scene = scene_of(linear("pass"))
    spec = spec_of(scene, TaskKey("start"))
    broken = scene.store.put_code(b"import nowhere_at_all\n")
    pod = Pod(tmp_path)
    code, _, err = pod.run({**spec.to_json(), "code": broken})
    assert code == 1
    said = pod.said()
    assert said["status"] == "unloadable"
    assert "No module named 'nowhere_at_all'" in said["error"]
    assert "flow.py:1" in said["error"]
    assert "nowhere_at_all" in err


def test_sigterm_is_the_clusters_doing_and_leaves_no_record(scene_of: Any, tmp_path: Path) -> None:
    scene = scene_of(linear("import time\nprint('ready')\ntime.sleep(60)"))
    spec = spec_of(scene, TaskKey("start"))
    pod = Pod(tmp_path)
    process = pod.start(spec.to_json())
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 1
    assert pod.said() == {"v": 1, "status": "lost", "attempt": 0, "error": "the Pod was told to stop"}
    assert scene.store.index(spec.run) == []


def test_a_child_that_dies_is_told_by_its_signal(scene_of: Any, tmp_path: Path) -> None:
    scene = scene_of(linear("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
    pod = Pod(tmp_path)
    pod.run(spec_of(scene, TaskKey("start")).to_json())
    said = pod.said()
    assert said["status"] == "failed"
    assert "SIGKILL" in said["error"]


def test_a_package_of_several_files_is_unpacked_beside_the_script(scene_of: Any, tmp_path: Path) -> None:
    scene = scene_of("import beside\n" + linear("print(beside.WORD)"))
    files = {"flows/flow.py": scene.script.read_bytes(), "flows/beside.py": b"WORD = 'beside'\n"}
    spec = spec_of(scene, TaskKey("start"))
    code = scene.store.put_code(pack_files(files))
    pod = Pod(tmp_path)
    _, out, err = pod.run({**spec.to_json(), "code": code, "script": "flows/flow.py"})
    assert out == "beside\n", err


def test_a_package_cannot_shadow_what_the_runner_imports(scene_of: Any, tmp_path: Path) -> None:
    scene = scene_of(linear("print('fine')"))
    files = {
        "flow.py": scene.script.read_bytes(),
        "zipfile.py": b"1 / 0\n",
        "ast.py": b"",
        "traceback.py": b"1/0",
    }
    spec = spec_of(scene, TaskKey("start"))
    pod = Pod(tmp_path)
    code, _, err = pod.run({**spec.to_json(), "code": scene.store.put_code(pack_files(files))})
    assert code == 0, err


def test_the_graph_of_a_script_is_put_where_it_is_asked_for(scene_of: Any, tmp_path: Path) -> None:
    scene = scene_of("class Base(FlowSpec):\n    beta = Parameter('beta', default=2)\n" + linear("pass"))
    pod = Pod(tmp_path)
    task = {
        "v": 1,
        "op": "graph",
        "store": scene.store.objects.url,
        "flow": "Linear",
        "script": "flow.py",
        "code": scene.store.put_code(scene.script.read_bytes()),
        "put": "graphs/some-uid",
    }
    code, _, err = pod.run(task)
    assert code == 0, err
    answer = json.loads(scene.store.objects.get("graphs/some-uid"))
    assert answer["flow"] == "Linear"
    assert [one["name"] for one in answer["graph"]["steps"]] == ["start", "end"]
    assert len(answer["digest"]) == 64


def test_a_graph_that_cannot_be_told_is_unloadable(scene_of: Any, tmp_path: Path) -> None:
    scene = scene_of(linear("pass"))
    pod = Pod(tmp_path)
    task = {
        "v": 1,
        "op": "graph",
        "store": scene.store.objects.url,
        "flow": "Linear",
        "script": "flow.py",
        "code": scene.store.put_code(b"x = 1\n"),
        "put": "graphs/some-uid",
    }
    assert pod.run(task)[0] == 1
    assert pod.said()["status"] == "unloadable"


def test_a_garbled_description_ends_in_words(tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    code, _, err = pod.run({"v": 1})
    assert code == 1
    assert "description" in err
    assert pod.said()["status"] == "lost"
