"""What `resume` reuses and what it runs again: the seed's rules, and those of a killed run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.local.laptop import Laptop, Played

DEBUG = """
    @step
    def start(self):
        self.next(self.a, self.b)

    @step
    def a(self):
        self.x = 1
        self.next(self.join)

    @step
    def b(self):
        self.x = int('2fail')
        self.next(self.join)

    @step
    def join(self, inputs):
        print('a is %s' % inputs.a.x)
        print('b is %s' % inputs.b.x)
        print('total is %d' % sum(input.x for input in inputs))
        print('origin is', current.origin_run_id)
        self.next(self.end)

    @step
    def end(self):
        pass
    """


def change(script: Path, before: str, after: str) -> None:
    text = script.read_text()
    assert before in text
    script.write_text(text.replace(before, after))


def clone_lines(played: Played) -> list[str]:
    return [line for line in played.out.splitlines() if "Cloning previously run task" in line]


def test_a_resume_of_the_last_run_fails_again_and_then_completes_once_fixed(each_way: Laptop) -> None:
    script = each_way.flow("DebugFlow", DEBUG)
    first = each_way.run(script)
    assert first.code == 1
    assert first.err.rstrip().endswith("    Step failure:\n    Step b (task-id 0) failed.")
    assert re.search(r"\[1/b/0 \(pid \d+\)\] ValueError: invalid literal for int\(\)", first.out)
    assert re.search(r"\[1/b/0 \(pid \d+\)\]   File \"\S*debugflow.py\", line \d+, in b\n", first.out)

    again = each_way.resume(script)
    assert again.code == 1
    assert "Workflow starting (run-id 2):" in again.said
    assert "Resuming run 1: the last `run` of DebugFlow here." in again.err
    assert len(clone_lines(again)) == 2
    assert "[2/a/0] Cloning previously run task 1/a/0" in again.out
    assert "ValueError: invalid literal" in again.out

    change(script, "2fail", "2")
    third = each_way.resume(script)
    assert third.code == 0, third.all
    assert "Resuming run 2: the last `resume` of DebugFlow here." in third.err
    assert {"a is 1", "b is 2", "total is 3", "origin is 2", "Done!"} <= set(third.said)
    assert each_way.executed("DebugFlow", "3") == ["b/0", "end/0", "join/0"]
    assert each_way.manifest("DebugFlow", "3").clones.keys() == {"1"}


def test_an_origin_can_be_named(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    laptop.run(script)
    laptop.run(script)
    change(script, "2fail", "2")
    played = laptop.resume(script, "--origin-run-id", "1")
    assert played.code == 0, played.all
    assert "origin is 1" in played.said


@pytest.mark.parametrize("origin", ["99", "k8s-nothing", "../1", "", "a b", "0", "-1", "x" * 300])
def test_an_unknown_origin_is_refused_and_no_run_id_is_used_up(laptop: Laptop, origin: str) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    laptop.run(script)
    before = laptop.files()
    played = laptop.resume(script, f"--origin-run-id={origin}")
    assert played.code in (1, 2), played.all
    assert played.err.splitlines()[-1].startswith("error: ")
    assert "--origin-run-id" in played.err or "run" in played.err
    assert "Traceback" not in played.all
    assert laptop.files() == before
    laptop.run(script)
    assert laptop.runs("DebugFlow") == ["1", "2"]


def test_a_resume_without_any_run_before_says_so(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    played = laptop.resume(script)
    assert played.code == 1
    assert "A previous run of DebugFlow was not found here" in played.err
    assert "start one with `run`" in played.err
    assert not (laptop.folder / ".reflow").exists()


def test_a_resume_where_nothing_was_run_names_the_runs_that_the_store_has(laptop: Laptop) -> None:
    laptop.flow("DebugFlow", DEBUG)
    assert laptop.run("debugflow.py").code == 1
    elsewhere = laptop.folder / "elsewhere"
    (elsewhere / ".reflow").mkdir(parents=True)
    played = laptop.play("../debugflow.py", "resume", "--store", "../.reflow", cwd=elsewhere)
    assert played.code == 1
    assert re.search(
        r"Name one with --origin-run-id; the latest in the store .*: 1 \(failed, \ds ago\)\.", played.err
    )


def test_an_unknown_step_is_refused_with_the_steps_named(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    laptop.run(script)
    before = laptop.files()
    played = laptop.resume(script, "nosuch")
    assert played.code == 2
    assert "DebugFlow has no step 'nosuch'. Its steps are" in played.err
    assert "start, a, b, join, end" in played.err
    assert laptop.files() == before


def test_a_step_before_the_failed_one_runs_again_with_all_after_it(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    laptop.run(script)
    change(script, "2fail", "2")
    played = laptop.resume(script, "start")
    assert played.code == 0
    assert laptop.executed("DebugFlow", "2") == ["a/0", "b/0", "end/0", "join/0", "start/0"]
    assert "Not reused: start: 1 task runs again: the resume starts from it" in played.said
    assert "Not reused: a: 1 task runs again: it comes after 'start'" in played.said


def test_a_sibling_of_the_failed_step_runs_again_and_so_does_the_failed_one(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    laptop.run(script)
    change(script, "2fail", "2")
    assert laptop.resume(script, "a").code == 0
    assert laptop.executed("DebugFlow", "2") == ["a/0", "b/0", "end/0", "join/0"]


def test_a_step_after_the_failed_one_means_the_failed_one(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    laptop.run(script)
    change(script, "2fail", "2")
    assert laptop.resume(script, "end").code == 0
    assert laptop.executed("DebugFlow", "2") == ["b/0", "end/0", "join/0"]


WITH_PARAMETER = """
    alpha = Parameter("alpha", default=1)

    @step
    def start(self):
        if self.alpha < 5:
            raise ValueError("too small")
        print("alpha", self.alpha)
        self.next(self.end)

    @step
    def end(self):
        print("end", self.alpha)
    """


def test_parameters_come_from_the_origin_and_cant_be_set_again(laptop: Laptop) -> None:
    script = laptop.flow("Params", WITH_PARAMETER)
    assert laptop.run(script, "--alpha", "3").code == 1
    before = laptop.files()
    played = laptop.resume(script, "--alpha", "7")
    assert played.code == 2
    assert (
        "--alpha can't be set on resume: a resume reuses the parameter values of its origin run."
        in played.err
    )
    assert laptop.files() == before
    laptop.environ = {"REFLOW_RUN_ALPHA": "9"}
    change(script, "< 5", "< 2")
    played = laptop.resume(script)
    assert {"alpha 3", "end 3"} <= set(played.said)


def test_a_parameter_that_is_new_since_the_origin_has_its_default(laptop: Laptop) -> None:
    script = laptop.flow("Params", WITH_PARAMETER)
    laptop.run(script, "--alpha", "3")
    change(
        script,
        '    alpha = Parameter("alpha", default=1)',
        '    alpha = Parameter("alpha", default=1)\n    beta = Parameter("beta", default=lambda c: 20)',
    )
    change(script, "< 5", "< 2")
    change(script, 'print("end", self.alpha)', 'print("end", self.alpha, self.beta)')
    played = laptop.resume(script)
    assert played.code == 0, played.all
    assert "end 3 20" in played.said


WIDE = """
    @step
    def start(self):
        self.xs = list(range(20))
        self.next(self.work, foreach="xs")

    @step
    def work(self):
        if self.input == 13 and not os.path.exists("fixed"):
            raise ValueError("thirteen")
        self.y = self.input
        self.next(self.join)

    @step
    def join(self, inputs):
        if os.path.exists("broken join"):
            raise ValueError("join")
        print("sum", sum(i.y for i in inputs))
        self.next(self.end)

    @step
    def end(self):
        pass
    """


def test_of_a_foreach_only_the_failed_tasks_run_again(laptop: Laptop) -> None:
    script = laptop.flow("Wide", WIDE)
    assert laptop.run(script).code == 1
    done = laptop.cloned("Wide", "1") + laptop.executed("Wide", "1")
    (laptop.folder / "fixed").touch()
    played = laptop.resume(script)
    assert played.code == 0, played.all
    assert "sum 190" in played.said
    assert laptop.cloned("Wide", "2") == done
    assert "work/13" in laptop.executed("Wide", "2")
    assert len(laptop.executed("Wide", "2")) == 22 + 1 - len(done)


def test_of_a_foreach_whose_join_failed_only_the_join_runs_again(laptop: Laptop) -> None:
    script = laptop.flow("Wide", WIDE)
    (laptop.folder / "fixed").touch()
    (laptop.folder / "broken join").touch()
    assert laptop.run(script).code == 1
    (laptop.folder / "broken join").unlink()
    played = laptop.resume(script)
    assert "sum 190" in played.said
    assert laptop.executed("Wide", "2") == ["end/0", "join/0"]
    assert "[2/work] Cloning 20 previously run tasks of 1/work" in played.out
    assert laptop.resume(script, "work").code == 0
    assert len(laptop.executed("Wide", "3")) == 22


NESTED = """
    @step
    def start(self):
        self.outer = [1, 2, 3]
        self.next(self.open, foreach="outer")

    @step
    def open(self):
        self.inner = list(range(self.input))
        self.next(self.work, foreach="inner")

    @step
    def work(self):
        (o, _, _), (i, _, _) = self.foreach_stack()
        if (o, i) == (2, 1) and not os.path.exists("fixed"):
            time.sleep(0.5)
            raise ValueError("nested")
        self.y = 10 * o + i
        self.next(self.inner_join)

    @step
    def inner_join(self, inputs):
        self.ys = [i.y for i in inputs]
        self.next(self.outer_join)

    @step
    def outer_join(self, inputs):
        print("all", [i.ys for i in inputs])
        self.next(self.end)

    @step
    def end(self):
        pass
    """


def test_of_nested_foreaches_only_what_failed_and_what_waited_for_it_runs_again(laptop: Laptop) -> None:
    script = laptop.flow("Nested", NESTED)
    assert laptop.run(script).code == 1
    (laptop.folder / "fixed").touch()
    played = laptop.resume(script)
    assert "all [[0], [10, 11], [20, 21, 22]]" in played.said, played.all
    assert laptop.executed("Nested", "2") == ["end/0", "inner_join/2", "outer_join/0", "work/2-1"]
    played = laptop.resume(script, "inner_join")
    assert played.code == 0
    assert "inner_join/0" in laptop.executed("Nested", "3")
    assert not any(path.startswith("work") for path in laptop.executed("Nested", "3"))


def test_a_switchs_recorded_choice_decides_again(laptop: Laptop) -> None:
    script = laptop.flow(
        "Choose",
        """
        @step
        def start(self):
            self.size = "small"
            self.next({"big": self.large, "small": self.little}, condition="size")

        @step
        def large(self):
            self.next(self.end)

        @step
        def little(self):
            print("little runs")
            1 / 0
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    assert laptop.run(script).code == 1
    change(script, '"small"\n', '"big"\n')
    change(script, "1 / 0", "pass")
    played = laptop.resume(script)
    assert played.code == 0
    assert laptop.executed("Choose", "2") == ["end/0", "little/0"]
    assert laptop.resume(script, "large").code == 0  # not taken: nothing of it to run again
    assert "little/0" in laptop.cloned("Choose", "3")


LOOP = """
    @step
    def start(self):
        self.n = 0
        self.next(self.again)

    @step
    def again(self):
        self.n += 1
        if self.n == 3 and not os.path.exists("fixed"):
            raise ValueError("third time")
        self.more = self.n < 5
        self.next({True: self.again, False: self.end}, condition="more")

    @step
    def end(self):
        print("rounds", self.n)
    """


def test_a_loop_goes_on_from_the_iteration_that_failed(laptop: Laptop) -> None:
    script = laptop.flow("Loop", LOOP)
    assert laptop.run(script).code == 1
    (laptop.folder / "fixed").touch()
    played = laptop.resume(script)
    assert "rounds 5" in played.said
    assert laptop.executed("Loop", "2") == ["again/0.2", "again/0.3", "again/0.4", "end/0"]


def test_a_caught_failure_counts_as_success(laptop: Laptop) -> None:
    script = laptop.flow(
        "Caught",
        """
        @step
        def start(self):
            self.next(self.risky)

        @catch(var="why")
        @step
        def risky(self):
            print("risky runs")
            1 / 0
            self.next(self.after)

        @step
        def after(self):
            if not os.path.exists("fixed"):
                raise ValueError("after")
            print("why", self.why)
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    assert laptop.run(script).code == 1
    (laptop.folder / "fixed").touch()
    played = laptop.resume(script)
    assert played.code == 0
    assert "risky runs" not in played.said
    assert any("division by zero" in line for line in played.said)


def test_a_resume_of_a_successful_run_runs_nothing(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG.replace("2fail", "2"))
    assert laptop.run(script).code == 0
    played = laptop.resume(script)
    assert played.code == 0
    assert "Done!" in played.said
    assert laptop.executed("DebugFlow", "2") == []
    assert laptop.value("DebugFlow", "2", "a/0", "x") == 1


def test_a_resume_of_a_resume_of_a_resume_reads_each_value_from_the_run_that_made_it(laptop: Laptop) -> None:
    steps = ["start", "one", "two", "three", "end"]
    body = ""
    for n, name in enumerate(steps):
        fails = f'    if not os.path.exists("{name} fixed"):\n        raise ValueError("{name}")\n'
        body += f"@step\ndef {name}(self):\n{fails if n > 0 else ''}"
        body += f"    self.{name}_ran = current.run_id\n    print('seen', sorted(vars(self)))\n"
        body += (
            f"    self.next(self.{steps[n + 1]})\n\n"
            if n < 4
            else "    print(self.start_ran, self.two_ran)\n"
        )
    script = laptop.flow("Chain", body)
    assert laptop.run(script).code == 1
    for n, name in enumerate(steps[1:], 2):
        (laptop.folder / f"{name} fixed").touch()
        assert laptop.resume(script).code == (0 if name == "end" else 1)
        assert laptop.executed("Chain", str(n)) == [f"{name}/0"]
    assert laptop.manifest("Chain", "5").clones.keys() == {"1", "2", "3", "4"}
    assert laptop.value("Chain", "5", "end/0", "two_ran") == "3"
    assert laptop.log("Chain", "5", "start/0").startswith("seen")


INSERT = """
    @step
    def start(self):
        self.x = 1
        self.next(self.work)

    @step
    def work(self):
        self.x += 1
        self.next(self.bad)

    @step
    def bad(self):
        1 / 0
        self.next(self.end)

    @step
    def end(self):
        print("x", self.x)
    """


def test_a_step_inserted_after_a_finished_one_runs_and_the_finished_one_doesnt(laptop: Laptop) -> None:
    script = laptop.flow("Insert", INSERT)
    laptop.run(script)
    change(script, "self.next(self.bad)", "self.next(self.fresh)")
    change(
        script,
        "    @step\n    def bad",
        "    @step\n    def fresh(self):\n        self.x *= 10\n"
        "        self.next(self.bad)\n\n    @step\n    def bad",
    )
    change(script, "1 / 0", "pass")
    played = laptop.resume(script)
    assert played.code == 0, played.all
    assert "x 20" in played.said
    assert laptop.executed("Insert", "2") == ["bad/0", "end/0", "fresh/0"]


def test_a_renamed_step_runs_under_its_new_name_and_what_came_before_is_kept(laptop: Laptop) -> None:
    script = laptop.flow("Insert", INSERT)
    laptop.run(script)
    change(script, "self.work", "self.renamed")
    change(script, "def work", "def renamed")
    change(script, "1 / 0", "pass")
    played = laptop.resume(script)
    assert played.code == 0, played.all
    assert "x 2" in played.said
    assert laptop.executed("Insert", "2") == ["bad/0", "end/0", "renamed/0"]
    assert "Not reused: work: 1 task left out: the flow no longer has that step" in played.said


def test_a_deleted_step_is_left_out(laptop: Laptop) -> None:
    script = laptop.flow("Insert", INSERT)
    laptop.run(script)
    text = script.read_text()
    text = text.replace("self.next(self.work)", "self.next(self.bad)").replace("1 / 0", "pass")
    start, stop = text.index("    @step\n    def work"), text.index("    @step\n    def bad")
    script.write_text(text[:start] + text[stop:])
    played = laptop.resume(script)
    assert played.code == 0, played.all
    assert "x 1" in played.said
    assert laptop.executed("Insert", "2") == ["bad/0", "end/0"]


def test_a_changed_way_on_makes_a_finished_step_run_again_and_says_why(laptop: Laptop) -> None:
    script = laptop.flow("Insert", INSERT)
    laptop.run(script)
    change(
        script,
        "self.x += 1\n        self.next(self.bad)",
        "self.xs = [1, 2]\n        self.next(self.bad, foreach='xs')",
    )
    change(
        script,
        "1 / 0\n        self.next(self.end)",
        "self.next(self.join)\n\n    @step\n"
        "    def join(self, inputs):\n        self.x = len(inputs)\n        self.next(self.end)",
    )
    played = laptop.resume(script)
    assert played.code == 0, played.all
    assert "x 2" in played.said
    assert (
        "Not reused: work: 1 task runs again: it now goes on by a foreach over 'xs', before it was a single step"
        in (played.said)
    )


def test_a_wider_foreach_upstream_reuses_the_tasks_that_are_still_there(laptop: Laptop) -> None:
    """A split that is cloned keeps its items: to change them, the resume starts from the split."""
    script = laptop.flow("Wide", WIDE)
    laptop.run(script)
    change(script, "range(20)", "range(25)")
    (laptop.folder / "fixed").touch()
    assert "sum 190" in laptop.resume(script).said
    played = laptop.resume(script, "start")
    assert f"sum {sum(range(25))}" in played.said


def test_changed_code_of_a_finished_step_doesnt_run(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    laptop.run(script)
    change(script, "2fail", "2")
    change(script, "self.x = 1", "self.x = 100")
    assert "total is 3" in laptop.resume(script).said


def test_tags_of_the_origin_are_kept_and_new_ones_added(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    laptop.run(script, "--tag", "a")
    laptop.resume(script, "--tag", "b")
    assert laptop.manifest("DebugFlow", "2").tags == ("a", "b")


def test_the_last_run_is_remembered_for_each_working_folder_and_flow(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    other = laptop.flow("Other", INSERT)
    laptop.run(script)
    laptop.run(other)
    assert "Resuming run 1" in laptop.resume(script).err
    assert "Resuming run 1" in laptop.resume(other).err
    below = laptop.folder / "below"
    below.mkdir()
    played = laptop.play(str(script), "resume", cwd=below)
    assert "Resuming run 2: the last `resume`" in played.err


def test_a_run_file_gets_the_id(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    laptop.run(script, "--run-id-file", "id.txt")
    assert (laptop.folder / "id.txt").read_text().strip() == "1"
    laptop.resume(script, "--run-id-file", "id.txt")
    assert (laptop.folder / "id.txt").read_text().strip() == "2"
