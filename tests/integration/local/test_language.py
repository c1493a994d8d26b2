"""What a step can say and know: parameters, `current`, decorators, imports, classes."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.integration.local.laptop import Laptop

PARAMETERS = """
    text = Parameter("text", default="t", help="100% text")
    number = Parameter("number", default=3)
    ratio = Parameter("ratio", default=0.5)
    flag = Parameter("flag", default=False)
    spec = Parameter("spec", type=JSONType, default={"a": [1]})
    words = Parameter("words", separator=",", default="x,y")
    made = Parameter("made", default=lambda context: context.parameter_name.upper())
    none = Parameter("none")
    dashed = Parameter("with-dash", default=1)

    @step
    def start(self):
        self.seen = [self.text, self.number, self.ratio, self.flag, self.spec, self.words, self.made, self.none,
                     self.dashed]
        self.next(self.end)

    @step
    def end(self):
        assert self.text == self.seen[0]
        print("seen", self.seen)
    """


def test_parameters_have_their_defaults(each_way: Laptop) -> None:
    script = each_way.flow("Params", PARAMETERS)
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "seen ['t', 3, 0.5, False, {'a': [1]}, ['x', 'y'], 'MADE', None, 1]" in played.said


def test_parameters_are_set_on_the_command_line_and_by_the_environment(laptop: Laptop) -> None:
    script = laptop.flow("Params", PARAMETERS)
    laptop.environ = {"METAFLOW_RUN_NUMBER": "7", "REFLOW_RUN_WITH_DASH": "9"}
    options = ("--text=", "--ratio", "2", "--flag", "yes", "--spec", '[1, {"b": null}]', "--words", "p,q,r")
    played = laptop.run(script, *options, "--none", "-5")
    assert played.code == 0, played.all
    assert "seen ['', 7, 2.0, True, [1, {'b': None}], ['p', 'q', 'r'], 'MADE', '-5', 9]" in played.said


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--number", "three"), "The parameter number is a whole number, and 'three' isn't"),
        (("--flag", "perhaps"), "The parameter flag is true or false, and 'perhaps' isn't"),
        (("--spec", "{a"), "The parameter spec is JSON"),
        (("--zebra", "1"), "run has no option --zebra. The flow's parameters: --text, --number"),
        (("--numbr", "1"), "run has no option --numbr (did you mean --number?)"),
        (("--max-workers", "0"), "must be 1 or more"),
        (("--max-workers", "many"), "--max-workers: 'many' isn't a whole number"),
        (("--environment", "pipi"), "(did you mean pypi?)"),
        (("surplus",), "run takes no argument 'surplus' there"),
    ],
)
def test_a_wrong_parameter_or_option_is_refused_before_anything_is_written(
    laptop: Laptop, options: tuple[str, ...], text: str
) -> None:
    script = laptop.flow("Params", PARAMETERS)
    played = laptop.run(script, *options)
    assert played.code == 2
    assert text in played.err
    assert "Traceback" not in played.all
    assert not (laptop.folder / ".reflow").exists()


def test_a_required_parameter_must_be_given_and_none_can_be_set_in_a_step(laptop: Laptop) -> None:
    script = laptop.flow(
        "Needs",
        """
        alpha = Parameter("alpha", type=float, required=True)

        @step
        def start(self):
            self.alpha = 3
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = laptop.run(script)
    assert played.code == 2
    assert "The parameter alpha is required. Set it with --alpha." in played.err
    assert re.search(r"^  --alpha VALUE +\[a number\] \[required\]$", laptop.run(script, "--help").out, re.M)
    played = laptop.run(script, "--alpha", "1")
    assert played.code == 1
    assert "self.alpha is a parameter of the flow, which no step can change" in played.all
    assert ", in start\n" in played.all


def test_current_tells_a_step_where_it_is(each_way: Laptop) -> None:
    script = each_way.flow(
        "Where",
        """
        @step
        def start(self):
            self.xs = [5, 6]
            self.next(self.work, foreach="xs")

        @step
        def work(self):
            self.told = [current.flow_name, current.run_id, current.step_name, current.task_id, current.pathspec,
                         current.retry_count, current.origin_run_id, current.username, sorted(current.tags),
                         current.is_running_flow, os.path.isdir(current.tempdir)]
            self.folder = current.tempdir
            self.next(self.join)

        @step
        def join(self, inputs):
            print("told", inputs[1].told)
            self.folders = [i.folder for i in inputs]
            self.next(self.end)

        @step
        def end(self):
            assert not any(os.path.exists(folder) for folder in self.folders)
        """,
    )
    played = each_way.run(script, "--tag", "nightly", "--tag", "b")
    assert played.code == 0, played.all
    told = ["Where", "1", "work", "1", "Where/1/work/1", 0, None, "tester", ["b", "nightly"], True, True]
    assert f"told {told}" in played.said


def test_a_step_is_tried_again_as_often_as_retry_says(each_way: Laptop) -> None:
    script = each_way.flow(
        "Again",
        """
        @retry(times=2, minutes_between_retries=0)
        @step
        def start(self):
            print("try", current.retry_count)
            if current.retry_count < 2:
                raise ValueError(f"no luck {current.retry_count}")
            self.tries = current.retry_count + 1
            self.next(self.end)

        @step
        def end(self):
            print("tries", self.tries)
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert [line for line in played.said if line.startswith("try ")] == ["try 0", "try 1", "try 2"]
    assert "tries 3" in played.said
    assert len(each_way.store("Again").failures("1", each_way.record("Again", "1", "start/0").key)) == 2


def test_a_failure_that_only_a_fallback_follows_is_not_said_to_be_tried_again(laptop: Laptop) -> None:
    script = laptop.flow(
        "Caught",
        """
        @catch
        @step
        def start(self):
            self.x = 1 / 0
            self.next(self.middle)

        @catch
        @retry(times=1, minutes_between_retries=0)
        @step
        def middle(self):
            self.x = 1 / 0
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = laptop.run(script)
    assert played.code == 0, played.all
    caught = [
        "Task failed.",
        "Task fallback is starting to handle the failure.",
        "Task finished successfully.",
    ]
    again = ["Task failed; it is tried again.", "Task is starting (retry)."]
    start = ["Task is starting."]
    said = [line for line in played.said if line.startswith("Task ")]
    assert said == [*start, *caught, *start, *again, *caught, *start, "Task finished successfully."]


def test_a_step_that_exits_with_202_isnt_tried_again(laptop: Laptop) -> None:
    script = laptop.flow(
        "Never",
        """
        @retry(times=3, minutes_between_retries=0)
        @step
        def start(self):
            print("try", current.retry_count)
            sys.exit(202)
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = laptop.run(script)
    assert played.code == 1
    assert played.said.count("try 0") == 1
    assert "try 1" not in played.said


def test_a_caught_failure_lets_the_flow_go_on(each_way: Laptop) -> None:
    script = each_way.flow(
        "Caught",
        """
        @step
        def start(self):
            self.xs = [1, 0, 2]
            self.next(self.work, foreach="xs")

        @catch(var="failed", print_exception=False)
        @retry(times=1, minutes_between_retries=0)
        @step
        def work(self):
            self.y = 1 / self.input
            self.next(self.join)

        @step
        def join(self, inputs):
            self.bad = [i.index for i in inputs if i.failed]
            print("failed", self.bad, inputs[1].failed, hasattr(inputs[1], "y"))
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "failed [1] <failure handled by @catch: ZeroDivisionError: division by zero> False" in played.said
    assert "Task fallback is starting to handle the failure." in played.said


def test_a_step_that_takes_too_long_is_stopped(each_way: Laptop) -> None:
    script = each_way.flow(
        "Slow",
        """
        @timeout(seconds=1)
        @step
        def start(self):
            print("going to sleep")
            time.sleep(60)
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = each_way.run(script)
    assert played.code == 1
    assert played.seconds < 10
    assert "timed out after 1 second" in played.all
    assert "Step start (task-id 0) failed." in played.err


def test_with_adds_a_decorator_to_each_step(laptop: Laptop) -> None:
    script = laptop.flow(
        "With",
        """
        @step
        def start(self):
            if current.retry_count == 0:
                raise RuntimeError("once")
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    assert laptop.run(script).code == 1
    assert laptop.run(script, "--with", "retry:times=1,minutes_between_retries=0").code == 0
    played = laptop.run(script, "--with", "rtry")
    assert played.code == 2
    assert "rtry" in played.err


def test_the_environment_decorator_sets_variables(each_way: Laptop) -> None:
    script = each_way.flow(
        "Env",
        """
        @environment(vars={"COLOUR": "blue"})
        @step
        def start(self):
            print("colour", os.environ["COLOUR"])
            self.next(self.end)

        @step
        def end(self):
            print("colour", os.environ.get("COLOUR"))
        """,
    )
    played = each_way.run(script)
    assert [line for line in played.said if "colour" in line] == ["colour blue", "colour None"]


def test_a_flow_inherits_steps_and_parameters_from_another(each_way: Laptop) -> None:
    each_way.write(
        "base_flow.py",
        """
        from reflow import FlowSpec, Parameter, step

        class Base(FlowSpec):
            alpha = Parameter("alpha", default=2)
            CONSTANT = 10

            @step
            def start(self):
                self.x = self.alpha * self.CONSTANT
                self.next(self.middle)

            @step
            def end(self):
                print("x", self.x)

            def doubled(self, value):
                return value * 2
        """,
    )
    script = each_way.write(
        "child_flow.py",
        """
        from base_flow import Base
        from reflow import step

        class Child(Base):
            @step
            def middle(self):
                self.x = self.doubled(self.x) + 1
                self.next(self.end)

        if __name__ == "__main__":
            Child()
        """,
    )
    played = each_way.run(script, "--alpha", "3")
    assert played.code == 0, played.all
    assert "x 61" in played.said


def test_a_script_elsewhere_finds_the_modules_beside_it_and_the_store_is_here(each_way: Laptop) -> None:
    each_way.write("project/code/sibling.py", "VALUE = 'from beside'\n")
    script = each_way.flow(
        "Elsewhere",
        """
        @step
        def start(self):
            import sibling
            self.v = sibling.VALUE
            print("here", os.getcwd())
            self.next(self.end)

        @step
        def end(self):
            import sibling
            print("v", self.v, sibling.VALUE, os.path.basename(__file__), __name__, sys.argv[0] == __file__)
        """,
        file="project/code/elsewhere.py",
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "v from beside from beside elsewhere.py __main__ True" in played.said
    assert f"here {each_way.folder}" in played.said
    assert (each_way.folder / ".reflow" / "Elsewhere").is_dir()


@pytest.mark.parametrize("name", ["my flow.py", "fünf.py", "a-b.c.py", "-dash.py", "noextension", "tests.py"])
def test_a_script_may_have_an_odd_name(laptop: Laptop, name: str) -> None:
    laptop.flow(
        "Odd",
        """
        @step
        def start(self):
            self.thing = Thing()
            self.next(self.end)

        @step
        def end(self):
            print("name", os.path.basename(__file__), type(self.thing).__name__)
        """,
        file=name,
    )
    path = laptop.folder / name
    path.write_text(path.read_text().replace("class Odd", "class Thing:\n    pass\n\nclass Odd"))
    played = laptop.run(f"./{name}")
    assert played.code == 0, played.all
    assert f"name {name} Thing" in played.said
    assert laptop.reflow("run", f"./{name}").code == 0


def test_a_script_written_for_metaflow_runs_unmodified(each_way: Laptop) -> None:
    script = each_way.write(
        "theirs.py",
        """
        import metaflow
        from metaflow import FlowSpec, Parameter, current, step
        from metaflow.exception import MetaflowException

        class Theirs(FlowSpec):
            @step
            def start(self):
                self.x = 1
                self.next(self.end)

            @step
            def end(self):
                print("x", self.x, current.flow_name, issubclass(MetaflowException, Exception))

        if __name__ == "__main__":
            Theirs()
        """,
    )
    played = each_way.reflow("run", str(script), *each_way.mode)
    assert played.code == 0, played.all
    assert "x 1 Theirs True" in played.said


def test_output_is_kept_as_the_tasks_log(each_way: Laptop) -> None:
    script = each_way.flow(
        "Talks",
        """
        @step
        def start(self):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            os.write(1, b"raw without a line end")
            self.next(self.end)

        @step
        def end(self):
            import subprocess
            subprocess.run(["echo", "from a child"])
            os.system("echo from a shell")
            print("grüße \\N{SNOWMAN}", "x" * 10_000)
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    log = each_way.log("Talks", "1", "start/0")
    assert all(text in log for text in ("to stdout\n", "to stderr\n", "raw without a line end"))
    assert "from a child\nfrom a shell\ngrüße ☃ " in each_way.log("Talks", "1", "end/0")
    assert "from a child" in played.said
    assert "raw without a line end" in played.said
    assert "x" * 10_000 in played.out


def test_a_task_that_crashes_is_told_in_words(each_way: Laptop) -> None:
    script = each_way.flow(
        "Crash",
        """
        how = Parameter("how", default="segv")

        @step
        def start(self):
            if self.how == "segv":
                import ctypes
                ctypes.string_at(0)
            elif self.how == "kill":
                os.kill(os.getpid(), 9)
            elif self.how == "exit":
                os._exit(3)
            else:
                sys.exit(0)
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    for how, text in (
        ("segv", "SIGSEGV"),
        ("kill", "SIGKILL"),
        ("exit", "exit code 3"),
        ("zero", "sys.exit(0)"),
    ):
        played = each_way.run(script, "--how", how)
        assert played.code == 1
        assert text in played.all, played.all
        assert "Step start (task-id 0) failed." in played.err


def test_two_forked_tasks_dont_share_their_random_numbers_unless_the_script_seeds_them(
    each_way: Laptop,
) -> None:
    body = """
        @step
        def start(self):
            self.xs = [0, 1, 2]
            self.next(self.work, foreach="xs")

        @step
        def work(self):
            import random, uuid
            self.r = random.random()
            self.u = uuid.uuid4().hex
            self.next(self.join)

        @step
        def join(self, inputs):
            print("different", len({i.r for i in inputs}), len({i.u for i in inputs}))
            self.next(self.end)

        @step
        def end(self):
            pass
        """
    script = each_way.flow("Dice", body)
    assert "different 3 3" in each_way.run(script).said
    seeded = each_way.flow("Seeded", body)
    seeded.write_text("import random\nrandom.seed(42)\n" + seeded.read_text())
    assert "different 1 3" in each_way.run(seeded).said


def test_a_script_that_starts_threads_as_it_loads_gets_fresh_processes(laptop: Laptop) -> None:
    script = laptop.flow(
        "Threads",
        """
        @step
        def start(self):
            with LOCK:
                print("locked")
            self.next(self.end)

        @step
        def end(self):
            print("done")
        """,
    )
    threads = "import threading, time\nLOCK = threading.Lock()\n"
    threads += "def churn():\n    while True:\n        with LOCK:\n            time.sleep(0.001)\n"
    threads += "threading.Thread(target=churn, daemon=True).start()\n"
    script.write_text(threads + script.read_text())
    played = laptop.run(script)
    assert played.code == 0, played.all
    assert "done" in played.said


def test_a_flow_that_runs_within_another_process_of_a_shell_sees_no_terminal_of_ours(laptop: Laptop) -> None:
    """A step that reads standard input gets its end at once, and doesn't hang."""
    script = laptop.flow(
        "Reads",
        """
        @step
        def start(self):
            print("read", repr(sys.stdin.read()))
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = subprocess.run(
        [sys.executable, str(script), "run"],
        cwd=laptop.folder,
        env={**os.environ, **laptop._environment()},
        input="typed by the user",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "read ''" in played.stdout
