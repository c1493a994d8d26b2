"""`spin`: one step alone, with the inputs of an earlier run; that run, and the list of runs, stay as they were."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reflow.client import Flow, Task, default_metadata, inspect_spin
from reflow.runner import Runner
from tests.integration.local.laptop import Laptop

FLOW = """
    alpha = Parameter("alpha", default=3)

    @step
    def start(self):
        self.parts = [1, 2, 3]
        self.next(self.work, foreach="parts")

    @retry(times=2, minutes_between_retries=0)
    @environment(vars={"MARK": "set"})
    @step
    def work(self):
        print("work", self.input, os.environ.get("MARK"))
        self.y = self.input * self.alpha
        if os.path.exists("broken") and self.index == 1:
            raise ValueError("two")
        self.next(self.join)

    @step
    def join(self, inputs):
        self.ys = [i.y for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        print("ys", self.ys, current.origin_run_id)
"""


@pytest.fixture(scope="module")
def ran_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run 1 failed in work/1, after its retries; run 2 succeeded."""
    laptop = Laptop(tmp_path_factory.mktemp("spun"))
    laptop.flow("Spun", FLOW)
    (laptop.folder / "broken").touch()
    assert laptop.run("spun.py").code == 1
    (laptop.folder / "broken").unlink()
    assert laptop.run("spun.py", "--alpha", "7").code == 0
    return laptop.folder


@pytest.fixture
def ran(laptop: Laptop, ran_once: Path) -> Laptop:
    """A copy of that folder."""
    shutil.copytree(ran_once, laptop.folder, dirs_exist_ok=True)
    return laptop


def test_a_step_runs_alone_with_its_inputs_of_the_last_run_and_leaves_no_trace_in_it(ran: Laptop) -> None:
    before = [path for path in ran.files() if "/runs/2/" in path]
    spun = ran.play("spun.py", "spin", "end")
    assert spun.code == 0, spun.all
    assert "Spinning 2/end/0 with the artifacts of 2/join/0." in spun.err
    assert "ys [7, 14, 21] 2" in spun.said
    assert "Done!" in spun.said
    assert "python spun.py dump spin-1/end/0" in spun.out
    assert [path for path in ran.files() if "/runs/2/" in path] == before
    assert ran.runs("Spun") == ["1", "2"]
    assert "spin-1" not in ran.play("spun.py", "list", "--json").out
    assert "ys = [7, 14, 21]" in ran.play("spun.py", "dump", "spin-1/end").out
    assert "ys [7, 14, 21] 2\n" in ran.play("spun.py", "logs", "spin-1/end/0").out
    refused = ran.resume("spun.py", "--origin-run-id", "spin-1")
    assert (refused.code, "spin-1 is a spin" in refused.err) == (2, True)
    assert "Resuming run 2:" in ran.resume("spun.py").err


def test_a_failed_task_of_a_foreach_is_the_one_that_is_spun_and_a_parameter_may_change(ran: Laptop) -> None:
    (ran.folder / "broken").touch()
    again = ran.play("spun.py", "spin", "1/work")
    assert again.code == 1
    assert "work 2 set" in again.said
    assert again.said.count("ValueError: two") == 1  # one attempt: @retry doesn't count
    assert again.err.splitlines()[-1] == "    Step work (task-id 1) failed."
    assert "python spun.py spin 1/work/1" in again.err
    (ran.folder / "broken").unlink()
    other = ran.play("spun.py", "spin", "1/work/2", "--alpha", "100", "--skip-decorators")
    assert other.code == 0, other.all
    assert "work 3 None" in other.said
    assert ran.value("Spun", "spin-2", "work/2", "y") == 300
    assert ran.value("Spun", "1", "work/2", "y") == 9


def test_a_step_that_is_new_or_has_new_code_is_spun(ran: Laptop) -> None:
    script = ran.folder / "spun.py"
    text = script.read_text().replace(
        "self.next(self.end)",
        "self.next(self.more)\n\n    @step\n    def more(self):\n        self.z = max(self.ys)\n"
        "        self.next(self.end)",
    )
    script.write_text(text.replace("[i.y for i in inputs]", "[-i.y for i in inputs]"))
    assert ran.play("spun.py", "spin", "join").code == 0
    assert ran.value("Spun", "spin-1", "join/0", "ys") == [-7, -14, -21]


def test_artifacts_of_a_file_stand_in_for_the_inputs_own(ran: Laptop) -> None:
    ran.write("one.py", "ARTIFACTS = {'ys': [9]}\n")
    ran.write("each.py", "ARTIFACTS = {'2/work/1': {'y': 99}}\n")
    ran.write("none.py", "x = 1\n")
    assert "ys [9] 2" in ran.play("spun.py", "spin", "end", "--artifacts-module", "one.py").said
    assert ran.play("spun.py", "spin", "join", "--artifacts-module", "each.py").code == 0
    assert ran.value("Spun", "spin-2", "join/0", "ys") == [7, 99, 21]
    none = ran.play("spun.py", "spin", "end", "--artifacts-module", "none.py")
    assert none.code == 1
    assert "has no dict ARTIFACTS" in none.out


def test_without_persist_nothing_is_left(ran: Laptop) -> None:
    before = [path for path in ran.files() if "/runs/" in path]
    spun = ran.play("spun.py", "spin", "start", "--no-persist")
    assert spun.code == 0, spun.all
    assert [path for path in ran.files() if "/runs/" in path] == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["strat"], 2, "has no step 'strat' (did you mean start?)"),
        (["1/join"], 1, "joins work/1, which hasn't finished in run 1"),
        (["9/join"], 1, "Run 9 of Spun isn't in the store"),
        (["2/work/17"], 1, "There is no task work/17 in run 2"),
        (["work/18"], 1, "There is no task work/18 in run 2"),
        (["a/b/c/d/e"], 2, "isn't of the form"),
        (["end", "--artifacts-module", "nowhere.py"], 2, "there is no such file"),
        (["end", "--alpha", "many"], 2, "alpha"),
        ([], 2, "STEP"),
    ],
)
def test_what_cannot_be_spun_is_refused_before_anything_is_written(
    ran: Laptop, arguments: list[str], code: int, words: str
) -> None:
    before = ran.files()
    spun = ran.play("spun.py", "spin", *arguments)
    assert (spun.code, ran.files()) == (code, before), spun.all
    assert words in spun.err
    assert "Traceback" not in spun.err


def test_a_runner_spins_and_hands_the_task_over(ran: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ran.folder)
    with Runner("spun.py", show_output=False) as runner:
        spun = runner.spin("2/work/2", alpha=5, persist=True)
        assert spun.status == "successful"
        task = spun.task
        assert isinstance(task, Task)
        assert (task.data.y, task.pathspec) == (15, "Spun/spin-1/work/2")


def test_inspect_spin_lists_spins_in_place_of_runs(ran: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in ("end", "join"):
        assert ran.play("spun.py", "spin", step).code == 0
    monkeypatch.chdir(ran.folder)
    monkeypatch.setenv("USER", "tester")
    try:
        assert [run.id for run in Flow("Spun")] == ["2", "1"]
        inspect_spin()
        latest = Flow("Spun").latest_run
        assert [run.id for run in Flow("Spun")] == ["spin-2", "spin-1"]
        assert latest is not None
        assert (latest["join"].task.data.ys, latest.successful) == ([7, 14, 21], True)
    finally:
        default_metadata()
    assert [run.id for run in Flow("Spun")] == ["2", "1"]


def test_gc_counts_spins_apart_from_runs(ran: Laptop) -> None:
    assert ran.play("spun.py", "spin", "end").code == 0
    shown = ran.play("spun.py", "gc", "--keep", "1")
    assert "run 1 " in shown.out
    assert "spin-1" not in shown.out  # young
    assert ran.play("spun.py", "gc", "--run", "spin-1", "--yes").code == 0
    assert not [path for path in ran.files() if "spin-" in path]
