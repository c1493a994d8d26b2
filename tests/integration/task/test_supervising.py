"""A task's process seen from outside: its output, its time limit, its death."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from reflow.store.values import Status
from reflow.task.spawn import Spawner
from reflow.task.supervise import Event, OutputLine, Supervisor, TaskEnded, TaskStarted
from tests.integration.task.scene import Ran, Scene
from tests.integration.task.test_steps import linear

SpawnerOf = Callable[[Scene], Spawner]


def log_text(ran: Ran, step: str, streams: str = "oe") -> str:
    """A task's log, as the store has it."""
    frames = ran.store.log(ran.manifest.run, ran.record(step))
    return b"".join(frame.data for frame in frames if frame.stream in streams).decode()


def test_output_is_told_as_it_comes_and_kept_as_the_log(scene_of: Any, spawner_of: SpawnerOf) -> None:
    scene = scene_of(
        linear("import sys\nprint('one')\nprint('two', file=sys.stderr)\nprint('three', end='')")
    )
    ran = scene.run(spawner_of(scene))
    assert ran.output("start", "stdout") == ["one", "three"]
    assert ran.output("start", "stderr") == ["two"]
    assert log_text(ran, "start", "o") == "one\nthree"
    assert log_text(ran, "start", "e") == "two\n"


def test_a_line_is_told_while_the_task_still_runs(scene_of: Any, spawner_of: SpawnerOf) -> None:
    scene = scene_of(
        linear("import os, time\nprint('ready')\nwhile not os.path.exists('go'):\n    time.sleep(0.01)")
    )
    go = scene.script.with_name("go")
    scene.script.write_text(scene.script.read_text().replace("'go'", repr(str(go))))

    def watch(supervisor: Supervisor, event: Event) -> None:
        if isinstance(event, OutputLine) and event.text == "ready":
            go.touch()

    assert scene.run(spawner_of(scene), watch=watch).outcome == "succeeded"


def test_a_flood_of_output_arrives_whole(scene_of: Any, spawner_of: SpawnerOf) -> None:
    scene = scene_of(linear("for n in range(40000):\n    print(n, 'x' * 60)"))
    ran = scene.run(spawner_of(scene))
    lines = ran.output("start")
    assert len(lines) == 40000
    assert lines[-1].startswith("39999 ")
    assert log_text(ran, "start").count("\n") == 40000
    assert ran.record("start").log.parts >= 2


def test_bytes_that_are_no_text_do_no_harm(scene_of: Any, spawner_of: SpawnerOf) -> None:
    scene = scene_of(linear("import os\nos.write(1, b'\\xff\\xfe ok\\n')\nprint('é')"))
    lines = scene.run(spawner_of(scene)).output("start")
    assert lines[0].endswith(" ok")
    assert lines[1] == "é"


def test_a_grandchild_that_holds_the_pipes_open_holds_up_nothing(
    scene_of: Any, spawner_of: SpawnerOf
) -> None:
    scene = scene_of(
        linear(
            "import subprocess\nprint('before', flush=True)\nself.pid = subprocess.Popen(['sleep', '300']).pid"
        )
    )
    began = time.monotonic()
    ran = scene.run(spawner_of(scene))
    assert ran.outcome == "succeeded"
    assert time.monotonic() - began < 30
    assert ran.output("start") == ["before"]
    assert not is_alive(ran.value("start", "pid")), "what a task leaves behind is ended with it"


def is_alive(pid: int, patience: float = 5.0) -> bool:
    """Whether a process is still there after some seconds; a zombie is gone."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return False
        except OSError:
            return False
        os.sched_yield()
    return True


def test_a_step_past_its_time_limit_fails_in_words(scene_of: Any, spawner_of: SpawnerOf) -> None:
    source = """
    import time

    class Slow(FlowSpec):
        @timeout(seconds=1)
        @step
        def start(self):
            print('begun')
            time.sleep(60)
            self.next(self.end)

        @step
        def end(self):
            pass
    """
    scene = scene_of(source)
    ran = scene.run(spawner_of(scene))
    told = ran.record("start").exception
    assert told is not None
    assert told.line == "TimeoutException: the step timed out after 1 second"
    assert "time.sleep(60)" in told.traceback, "where the code was when its time was over"
    assert ran.output("start")[0] == "begun"
    assert "timed out" in log_text(ran, "start")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import os\nos._exit(3)", "exit code 3 before its step was done"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("import ctypes\nctypes.string_at(0)", "SIGSEGV"),
        ("import sys\nsys.exit(0)", "the step called sys.exit(0) instead of returning"),
        ("import sys\nsys.exit('sorry')", "the step called sys.exit('sorry')"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def f(n):\n    return f(n + 1)\nf(0)", "RecursionError"),
    ],
)
def test_a_process_that_dies_leaves_a_failed_record_that_says_why(
    scene_of: Any, spawner_of: SpawnerOf, body: str, words: str
) -> None:
    scene = scene_of(linear(f"print('last words')\n{body}"))
    ran = scene.run(spawner_of(scene))
    record = ran.record("start")
    assert record.status is Status.FAILED
    assert record.exception is not None
    assert words in record.exception.line
    assert ran.output("start")[0] == "last words"
    assert record.pid == ran.started()[0].pid


def test_a_crash_in_native_code_shows_the_users_frames_alone(scene_of: Any, spawner_of: SpawnerOf) -> None:
    scene = scene_of(linear("import ctypes\nctypes.string_at(0)"))
    ran = scene.run(spawner_of(scene))
    lines = ran.output("start", "stderr")
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.rpartition(", in ")[2] for line in lines if line.startswith("  File")] == [
        "start",
        "string_at",
    ]
    assert "    ctypes.string_at(0)" in lines
    assert lines[-1].startswith("ProcessCrashed: ")
    assert not [line for line in lines if "/reflow/" in line]
    told = ran.record("start").exception
    assert told is not None
    assert told.traceback.splitlines() == lines


def test_exit_code_202_is_final(scene_of: Any, spawner_of: SpawnerOf) -> None:
    scene = scene_of(linear("import sys\nsys.exit(202)"))
    assert scene.run(spawner_of(scene)).record("start").final


def test_a_task_that_is_stopped_is_lost_and_has_no_record(scene_of: Any, spawner_of: SpawnerOf) -> None:
    scene = scene_of(linear("import time\nprint('ready')\ntime.sleep(60)"))

    def watch(supervisor: Supervisor, event: Event) -> None:
        if isinstance(event, OutputLine):
            supervisor.stop(event.key)

    ran = scene.run(spawner_of(scene), watch=watch)
    (lost,) = ran.lost()
    assert lost.message == "stopped"
    assert ran.store.index(ran.manifest.run) == []


def test_a_task_that_does_not_listen_to_sigterm_is_killed(scene_of: Any, spawner_of: SpawnerOf) -> None:
    body = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready')\ntime.sleep(60)"
    )
    scene = scene_of(linear(body))

    def watch(supervisor: Supervisor, event: Event) -> None:
        if isinstance(event, OutputLine):
            supervisor.stop(event.key, kill_after=0.2)

    ran = scene.run(spawner_of(scene), watch=watch)
    assert [one.message for one in ran.lost()] == ["stopped"]


def test_a_task_that_still_succeeds_while_it_is_stopped_keeps_its_result(
    scene_of: Any, spawner_of: SpawnerOf
) -> None:
    ignore = "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: None)\n"
    body = ignore + "print('ready')\ntime.sleep(0.5)\nself.x = 1"
    scene = scene_of(linear(body))

    def watch(supervisor: Supervisor, event: Event) -> None:
        if isinstance(event, OutputLine):
            supervisor.stop(event.key)

    ran = scene.run(spawner_of(scene), watch=watch)
    assert ran.value("start", "x") == 1


def test_stopping_all_ends_every_task_and_tells_so(scene_of: Any, spawner_of: SpawnerOf) -> None:
    source = """
    import time

    class Many(FlowSpec):
        @step
        def start(self):
            self.xs = range(5)
            self.next(self.body, foreach='xs')

        @step
        def body(self):
            print('ready')
            time.sleep(60)
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass
    """
    scene = scene_of(source)
    manifest = scene.claim()
    pids = []

    def watch(supervisor: Supervisor, event: Event) -> None:
        if isinstance(event, TaskStarted) and event.key.step == "body":
            pids.append(event.pid)
            if len(pids) == 5:
                events = supervisor.stop_all()
                assert len([one for one in events if not isinstance(one, OutputLine)]) == 5
                assert supervisor.running == 0

    scene.run(spawner_of(scene), watch=watch)
    assert not any(is_alive(pid) for pid in pids)
    assert manifest.run == "1"


def test_a_supervisor_that_is_closed_leaves_no_process(scene_of: Any, spawner_of: SpawnerOf) -> None:
    scene = scene_of(linear("import time\nprint('ready')\ntime.sleep(60)"))
    manifest = scene.claim()
    from reflow.engine.state import RunState

    _, starts = RunState.begin(scene.graph, scene.policies)
    pid = 0
    with spawner_of(scene) as spawner, Supervisor(scene.store, manifest.run) as supervisor:
        supervisor.start(scene.spec(manifest, next(iter(starts))), spawner)
        while not pid:
            pid = next((one.pid for one in supervisor.poll(1.0) if isinstance(one, TaskStarted)), 0)
    assert not is_alive(pid)


def test_of_two_launches_of_a_task_the_first_result_wins_and_both_are_told_it(scene_of: Any) -> None:
    from reflow.engine.events import Start
    from reflow.task.spawn import FreshProcess
    from reflow.values.key import TaskKey

    scene = scene_of(linear("import os\nself.pid = os.getpid()"))
    manifest = scene.claim()
    winners = []
    for launch in (0, 1):
        with FreshProcess() as spawner, Supervisor(scene.store, manifest.run) as supervisor:
            supervisor.start(scene.spec(manifest, Start(TaskKey("start"), launch=launch)), spawner)
            while supervisor.running:
                winners += [one for one in supervisor.poll(1.0) if isinstance(one, TaskEnded)]
    first, second = winners
    assert first.record.nonce != second.record.nonce
    assert second.winner.nonce == first.record.nonce


def test_a_thread_that_is_no_daemon_is_waited_for_as_in_any_python(
    scene_of: Any, spawner_of: SpawnerOf
) -> None:
    late = "threading.Thread(target=lambda: (time.sleep(0.3), print('thread'))).start()"
    body = f"import atexit, threading, time\natexit.register(print, 'at exit')\n{late}"
    scene = scene_of(linear(body))
    assert scene.run(spawner_of(scene)).output("start") == ["thread", "at exit"]


def test_a_task_runs_in_a_session_or_group_of_its_own_with_nothing_to_read(
    scene_of: Any, spawner_of: SpawnerOf
) -> None:
    scene = scene_of(linear("import os, sys\nprint(os.getpgid(0) == os.getpid(), repr(sys.stdin.read()))"))
    assert scene.run(spawner_of(scene)).output("start") == ["True ''"]


def test_signals_are_as_python_has_them(scene_of: Any, spawner_of: SpawnerOf) -> None:
    default = "print([signal.getsignal(n) == signal.SIG_DFL for n in (signal.SIGTERM, signal.SIGCHLD)])"
    interrupt = "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    body = f"import signal\n{default}\n{interrupt}"
    scene = scene_of(linear(body))
    assert scene.run(spawner_of(scene)).output("start") == ["[True, True]", "True"]


CRASHING_WORKER = """
import ctypes, multiprocessing
def crash():
    ctypes.string_at(0)
worker = multiprocessing.get_context("fork").Process(target=crash)
worker.start()
worker.join()
print("the worker ended with", worker.exitcode)
self.x = 1
"""


def test_a_worker_that_a_step_forks_may_crash_without_the_steps_result_being_lost(
    scene_of: Any, spawner_of: SpawnerOf
) -> None:
    scene = scene_of(linear(CRASHING_WORKER))
    ran = scene.run(spawner_of(scene))
    assert ran.record("start").status is Status.SUCCEEDED
    assert ran.value("start", "x") == 1
    assert "the worker ended with -11" in ran.output("start")


def test_a_failure_that_follows_from_the_time_limit_is_told_as_it_is(
    scene_of: Any, spawner_of: SpawnerOf
) -> None:
    body = "import time\ntry:\n    time.sleep(60)\nexcept Exception as e:\n    raise RuntimeError('gave up') from e"
    scene = scene_of(linear(body).replace("@step", "@timeout(seconds=1)\n    @step", 1))
    told = scene.run(spawner_of(scene)).record("start").exception
    assert told is not None
    assert (told.type, told.message) == ("RuntimeError", "gave up")
    assert "timed out" in told.traceback
