"""The process that loads a script once and forks a child for each task."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from reflow.task.forkserver import ForkServer
from reflow.task.load import Unloadable
from reflow.task.spawn import FreshProcess, open_spawner
from reflow.values.errors import ReflowError
from tests.integration.task.test_steps import linear
from tests.integration.task.test_supervising import is_alive

WIDE = """
import random
{head}

class Wide(FlowSpec):
    @step
    def start(self):
        self.xs = range(4)
        self.next(self.body, foreach='xs')

    @step
    def body(self):
        print({value})
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def test_a_script_is_loaded_once_for_all_tasks(scene_of: Any, tmp_path: Path) -> None:
    count = tmp_path / "loaded"
    scene = scene_of(WIDE.format(head=f"open({str(count)!r}, 'a').write('x')", value="1"))
    assert scene.run(open_spawner(scene.script)).outcome == "succeeded"
    assert count.read_text() == "x"


def test_each_task_has_random_numbers_of_its_own(scene_of: Any) -> None:
    scene = scene_of(WIDE.format(head="", value="random.random()"))
    assert len(set(scene.run(open_spawner(scene.script)).output("body"))) == 4


def test_a_script_that_seeds_the_generator_gets_the_same_numbers_as_in_a_fresh_process(scene_of: Any) -> None:
    scene = scene_of(WIDE.format(head="random.seed(42)", value="random.random()"))
    forked = scene.run(ForkServer.launch(scene.script)).output("body")
    fresh = scene.run(FreshProcess()).output("body")
    assert len(set(forked + fresh)) == 1


def test_a_script_that_starts_threads_while_it_loads_gets_fresh_processes(scene_of: Any) -> None:
    head = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True, name='busy').start()"
    )
    scene = scene_of(head + "\n" + linear("print('ran')"))
    with ForkServer.launch(scene.script) as server:
        assert "busy" in server.forbidden
    spawner = open_spawner(scene.script)
    assert isinstance(spawner, FreshProcess)
    assert scene.run(spawner).output("start") == ["ran"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("x = (", "SyntaxError"),
        ("import sys; sys.exit(4)", "sys.exit(4)"),
        ("x = 1", "no class in it derives from FlowSpec"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_script_that_cannot_be_loaded_is_told_with_its_line(
    tmp_path: Path, source: str, words: str
) -> None:
    script = tmp_path / "bad.py"
    script.write_text(f"# a comment\n{source}\n")
    with pytest.raises(Unloadable, match=r"bad\.py") as caught:
        open_spawner(script)
    assert words in str(caught.value)
    if "Error" in words:
        assert "bad.py:2: " in str(caught.value)


def test_a_script_that_kills_its_process_while_it_loads_is_told(tmp_path: Path) -> None:
    script = tmp_path / "bad.py"
    script.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    with pytest.raises(ReflowError, match="SIGSEGV"):
        open_spawner(script)


def test_when_its_launcher_is_killed_the_server_ends_with_all_its_tasks(
    scene_of: Any, tmp_path: Path
) -> None:
    scene = scene_of(linear("import os, time\nprint(os.getpid(), os.getppid())\ntime.sleep(300)"))
    launcher = tmp_path / "launcher.py"
    launcher.write_text(
        textwrap.dedent(
            f"""
            import pathlib, sys
            from reflow.engine.state import RunState
            from reflow.task.forkserver import ForkServer
            from reflow.task.supervise import OutputLine, Supervisor
            from tests.integration.task.scene import Scene

            scene = Scene.__new__(Scene)
            scene.__init__(pathlib.Path({str(tmp_path / "again")!r}), {scene.script.read_text()!r})
            manifest = scene.claim()
            _, starts = RunState.begin(scene.graph, scene.policies)
            supervisor = Supervisor(scene.store, manifest.run)
            server = ForkServer.launch(scene.script)
            for start in starts:
                supervisor.start(scene.spec(manifest, start), server)
            while True:
                for event in supervisor.poll():
                    if isinstance(event, OutputLine):
                        print(event.text, flush=True)
            """
        )
    )
    (tmp_path / "again").mkdir()
    path = os.pathsep.join(["runtime", "."])
    process = subprocess.Popen(
        [sys.executable, str(launcher)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdout is not None
    task, server = map(int, process.stdout.readline().split())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not is_alive(task, 10)
    assert not is_alive(server, 10)


def test_a_server_that_is_killed_loses_its_tasks_and_leaves_none_running(scene_of: Any) -> None:
    scene = scene_of(linear("import os, time\nprint(os.getpid(), os.getppid())\ntime.sleep(300)"))
    pids: list[int] = []

    def watch(supervisor: Any, event: Any) -> None:
        if getattr(event, "text", "") and not pids:
            pids.extend(map(int, event.text.split()))
            os.kill(pids[1], signal.SIGKILL)

    ran = scene.run(ForkServer.launch(scene.script), watch=watch)
    assert [one.message for one in ran.lost()] == ["the fork server is gone"]
    assert not is_alive(pids[0])


def test_a_command_line_branches_off_its_own_process_and_loads_its_script_once(tmp_path: Path) -> None:
    script = tmp_path / "flow.py"
    count = tmp_path / "loaded"
    script.write_text(
        "from reflow import FlowSpec, step\n"
        f"open({str(count)!r}, 'a').write('x')\n" + linear("import sys\nself.x = 1\nprint(len(sys.argv))")
    )
    done = subprocess.run(
        [sys.executable, str(script), "run"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path("runtime").absolute())},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert count.read_text() == "x"
    assert "(pid " in done.stdout
    assert done.stdout.rstrip().endswith("Done!")
