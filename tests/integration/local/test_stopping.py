"""Ctrl-C, SIGTERM, kill -9 of whatever runs: nothing finished is lost, nothing hangs, and a resume goes on."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.integration.local.laptop import Going, Laptop

SLOW = """
    @step
    def start(self):
        print("start ran")
        self.xs = list(range(6))
        self.next(self.work, foreach="xs")

    @step
    def work(self):
        open(f"pid-{self.input}", "w").write(str(os.getpid()))
        if self.input >= 3 and not os.path.exists("quick"):
            time.sleep(60)
        self.y = self.input
        self.next(self.join)

    @step
    def join(self, inputs):
        print("sum", sum(i.y for i in inputs))
        self.next(self.end)

    @step
    def end(self):
        pass
    """


def wait_for(condition: object, what: str, seconds: float = 20.0) -> None:
    assert callable(condition)
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what} didn't come about"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def pids(laptop: Laptop) -> dict[int, int]:
    """The tasks' pids by their index, of those that wrote it down."""
    found = {}
    for path in laptop.folder.glob("pid-*"):
        if text := path.read_text():
            found[int(path.name[4:])] = int(text)
    return found


def started(laptop: Laptop, *options: str) -> Going:
    script = laptop.flow("Slow", SLOW)
    going = laptop.start(str(script), "run", *laptop.mode, *options)
    first = 4 if "--max-workers" in laptop.mode else 6
    done = 3
    wait_for(lambda: len(pids(laptop)) >= first, "the tasks' start")
    wait_for(
        lambda: sum(e.key.step == "work" for e in laptop.store("Slow").index("1")) >= done,
        "the quick tasks' end",
    )
    return going


def goes_on(laptop: Laptop, finished: int) -> None:
    (laptop.folder / "quick").touch()
    played = laptop.resume("slow.py")
    assert played.code == 0, played.all
    assert "sum 15" in played.said
    assert "start ran" not in played.said
    assert len(laptop.cloned("Slow", "2")) == finished


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_tasks_within_5_seconds_and_the_run_can_be_resumed(
    each_way: Laptop, number: signal.Signals
) -> None:
    going = started(each_way)
    asked = time.monotonic()
    going.signal(number)
    played = going.end(10)
    assert time.monotonic() - asked < 5
    assert played.code == 1
    assert "Traceback" not in played.all, played.all
    assert "KILLED BY ORCHESTRATOR" in played.all
    assert not any(is_alive(pid) for pid in pids(each_way).values())
    end = each_way.end("Slow", "1")
    assert end is not None
    assert not end.succeeded
    assert end.failed_step is None
    assert json.loads(each_way.play("slow.py", "list", "--json").out)[0]["state"] == "stopped"
    goes_on(each_way, 4)


def test_ctrl_c_at_a_terminal_reaches_the_whole_group_and_does_the_same(each_way: Laptop) -> None:
    going = started(each_way)
    os.killpg(going.process.pid, signal.SIGINT)
    played = going.end(10)
    assert played.code == 1
    assert "Traceback" not in played.all, played.all
    assert not any(is_alive(pid) for pid in pids(each_way).values())
    goes_on(each_way, 4)


def test_a_task_that_ignores_sigterm_is_killed(laptop: Laptop) -> None:
    script = laptop.flow(
        "Stubborn",
        """
        @step
        def start(self):
            import signal
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            open("pid-0", "w").write(str(os.getpid()))
            while True:
                time.sleep(1)
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    going = laptop.start(str(script), "run")
    wait_for(lambda: pids(laptop), "the task's start")
    going.signal(signal.SIGINT)
    played = going.end(10)
    assert played.code == 1
    assert not is_alive(pids(laptop)[0])


def test_a_failure_gives_the_others_5_seconds_to_finish(laptop: Laptop) -> None:
    script = laptop.flow(
        "Grace",
        """
        @step
        def start(self):
            self.next(self.bad, self.soon, self.late)

        @step
        def bad(self):
            1 / 0
            self.next(self.join)

        @step
        def soon(self):
            time.sleep(1)
            self.next(self.join)

        @step
        def late(self):
            time.sleep(30)
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = laptop.run(script)
    assert played.code == 1
    assert 5 < played.seconds < 10
    assert laptop.executed("Grace", "1") == ["soon/0", "start/0"]
    assert "Waiting up to 5 seconds for 2 active tasks..." in played.said
    assert "[KILLED BY ORCHESTRATOR]" in played.said


def test_a_killed_scheduler_takes_its_tasks_along_and_its_run_can_be_resumed_at_once(
    each_way: Laptop,
) -> None:
    going = started(each_way)
    going.kill()
    going.end(10)
    wait_for(lambda: not any(is_alive(pid) for pid in pids(each_way).values()), "the end of the tasks", 10)
    assert each_way.end("Slow", "1") is None
    goes_on(each_way, 4)


def test_a_killed_task_fails_with_the_signal_named(each_way: Laptop) -> None:
    going = started(each_way)
    os.kill(pids(each_way)[3], signal.SIGKILL)
    played = going.end(20)
    assert played.code == 1
    assert "SIGKILL" in played.all
    assert "Step work (task-id 3) failed." in played.err
    goes_on(each_way, 4)


def test_everything_killed_at_once_leaves_what_had_finished(each_way: Laptop) -> None:
    going = started(each_way)
    for pid in pids(each_way).values():
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
    going.kill()
    going.end(10)
    goes_on(each_way, 4)


def test_a_run_in_progress_cant_be_resumed(each_way: Laptop) -> None:
    going = started(each_way)
    played = each_way.resume("slow.py")
    assert played.code == 1
    assert f"Run 1 of Slow is still running (process {going.process.pid} on " in played.err
    assert each_way.runs("Slow") == ["1"]
    going.signal(signal.SIGINT)
    going.end(10)


def test_kills_at_random_moments_never_lose_or_double_a_result(laptop: Laptop) -> None:
    script = laptop.flow(
        "Chaos",
        """
        @step
        def start(self):
            self.xs = list(range(12))
            self.next(self.work, foreach="xs")

        @step
        def work(self):
            time.sleep(0.02)
            self.y = os.getpid()
            self.next(self.join)

        @step
        def join(self, inputs):
            self.ys = [i.y for i in inputs]
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    dice = random.Random(7)
    results: dict[str, int] = {}
    command = "run"
    for _ in range(8):
        going = laptop.start(str(script), command)
        time.sleep(dice.uniform(0.15, 0.6))
        going.kill()
        going.end(10)
        if laptop.runs("Chaos"):
            command = "resume"
            run = max(laptop.runs("Chaos"), key=int)
            for entry in laptop.store("Chaos").index(run):
                if entry.key.step == "work" and entry.status.finished:
                    value = laptop.value("Chaos", run, entry.key.path, "y")
                    assert results.setdefault(entry.key.path, value) == value
    played = laptop.play(str(script), command)
    assert played.code == 0, played.all
    last = max(laptop.runs("Chaos"), key=int)
    ys = laptop.value("Chaos", last, "join/0", "ys")
    assert len(set(ys)) == 12
    assert all(ys[int(path.partition("/")[2])] == y for path, y in results.items())


def test_output_into_a_pipe_that_closes_doesnt_keep_the_run_from_ending(laptop: Laptop) -> None:
    script = laptop.flow(
        "Chatty",
        """
        @step
        def start(self):
            for n in range(20000):
                print("line", n)
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    command = (
        f"import subprocess, sys; p = subprocess.Popen([sys.executable, {str(script)!r}, 'run'], "
        "stdout=subprocess.PIPE); p.stdout.readline(); p.stdout.close(); print('code', p.wait(20))"
    )
    played = laptop.play("-c", command)
    assert "Traceback" not in played.all, played.all
    assert played.out.strip() in ("code 0", "code 1")
    assert laptop.end("Chatty", "1") is not None
