"""What scripts written for Metaflow rely on: its command lines, its environment, what they look at and import."""

from __future__ import annotations

import json
import pickle
import textwrap

import pytest

from tests.integration.local.laptop import Laptop

LOOKING = """
    from metaflow import FlowSpec, Parameter, JSONType, Task, current, project, step
    from metaflow.exception import ExternalCommandFailed, MetaflowException
    from metaflow.includefile import IncludedFile
    from metaflow.util import get_username, is_stringish, resolve_identity, to_bytes, to_unicode

    @project(name="shop")
    class Looking(FlowSpec):
        spec = Parameter("spec", type=JSONType, default='{"deep": [1, 2]}')
        made = Parameter("made", type=JSONType, default=lambda context: "[3]")
        count = Parameter("count", default=1)

        @step
        def start(self):
            assert is_stringish("a") and is_stringish(b"a") and not is_stringish(1)
            assert to_bytes("ö") == "ö".encode() and to_unicode(b"a") == "a" and to_unicode(1) == "1"
            assert resolve_identity() == f"user:{get_username()}"
            assert issubclass(ExternalCommandFailed, MetaflowException)
            tags = current.tags
            tags.add("mine")
            print("values", self.spec, self.made, self.count, current.branch_name, sorted(tags))
            here = Task(current.pathspec)
            print("here", here.pathspec, here.parent.id, here.parent.parent.id == current.run_id)
            self.letters = "ab"
            self.next(self.outer, foreach="letters")

        @step
        def outer(self):
            self.digits = [1, 2, 3]
            self.next(self.inner, foreach="digits")

        @step
        def inner(self):
            if self.input == 2 and self.index == 1:
                self.only = self.input
            self.frames = [(f.step, f.var, f.num_splits, f.index, f.value) for f in self._foreach_stack]
            self.next(self.close)

        @step
        def close(self, inputs):
            self.frames = [one.frames for one in inputs]
            self.next(self.join)

        @step
        def join(self, inputs):
            print("frames", inputs[1].frames[2])
            self.next(self.end)

        @step
        def end(self):
            print("graph", self._current_step, [(node.name, node.type) for node in self._graph])
            print("inner", self._graph["inner"].split_parents, self._graph["outer"].matching_join, "x" in self._graph)

    if __name__ == "__main__":
        Looking()
    else:
        looked = Looking(use_cli=False)
        names = [step.name for step in looked], looked._graph["join"].type, sorted(looked._graph["join"].in_funcs)
"""


def test_a_script_is_run_with_metaflows_own_command_line(laptop: Laptop) -> None:
    laptop.write("looking.py", LOOKING)
    laptop.environ = {"METAFLOW_BRANCH": "try-1", "METAFLOW_RUN_COUNT": "3"}
    top = ("--quiet", "--metadata=local", "--datastore", "local", "--environment=local", "--no-pylint")
    played = laptop.reflow(
        "run",
        "looking.py",
        *top,
        "--event-logger=nullSidecarLogger",
        "run",
        "--max-workers",
        "2",
        "--tag",
        "a b",
    )
    assert played.code == 0, played.all
    assert "Validating" not in played.err
    assert "values {'deep': [1, 2]} [3] 3 test.try-1 ['a b', 'mine']" in played.said
    assert "here Looking/1/start/0 start True" in played.said
    assert "frames [('start', 'letters', 2, 1, 'b'), ('outer', 'digits', 3, 2, 3)]" in played.said
    kinds = [
        ("start", "foreach"),
        ("outer", "foreach"),
        ("inner", "linear"),
        ("close", "join"),
        ("join", "join"),
    ]
    assert f"graph end {[*kinds, ('end', 'end')]}" in played.said
    assert "inner ['start', 'outer'] close False" in played.said

    shown = laptop.reflow("run", "looking.py", "--quiet", "show")
    assert shown.code == 0
    assert "Step inner" in shown.out
    production = laptop.reflow("run", "looking.py", "--production", "run", "--count", "4")
    assert any("[3] 4 prod.try-1" in line for line in production.said)
    asked = laptop.play(
        "-c",
        "from reflow.sdk.alias import install_alias; install_alias(); import looking; print(looking.names)",
    )
    assert "['start', 'outer', 'inner', 'close', 'join', 'end'], 'join', ['close']" in asked.out, asked.all

    # Of a step's tasks, some lack what others have
    dumped = laptop.reflow("dump", "Looking/1/inner", "--include", "only", "--file", "found")
    assert dumped.code == 0, dumped.all
    found = pickle.loads((laptop.folder / "found").read_bytes())
    assert found == {f"1/inner/{a}-{b}": ({"only": 2} if b == 1 else {}) for a in (0, 1) for b in (0, 1, 2)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--metadata", "service"), "Reflow needs no metadata service"),
        (("--datastore", "azure"), "runs are kept in a folder or in a bucket"),
    ],
)
def test_what_isnt_offered_is_refused_with_a_reason(
    laptop: Laptop, options: tuple[str, ...], words: str
) -> None:
    laptop.write("looking.py", LOOKING)
    played = laptop.reflow("run", "looking.py", *options, "run")
    assert played.code == 2
    assert words in played.err
    assert not laptop.files()


def test_configurations_come_from_the_environment(laptop: Laptop) -> None:
    script = laptop.flow(
        "Set",
        """
        one = Config("one", default="missing.json")
        two = Config("two", default_value={"x": 0})

        @step
        def start(self):
            print("configs", self.one.x, self.two.x)
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    laptop.write("one.json", '{"x": 1}')
    laptop.environ = {
        "METAFLOW_FLOW_CONFIG": json.dumps({"one": "one.json"}),
        "METAFLOW_FLOW_CONFIG_VALUE": json.dumps({"two": {"x": 2}}),
    }
    assert "configs 1 2" in laptop.run(script).said
    played = laptop.play(str(script), "--config-value", "one", '{"x": 5}', "run")
    assert "configs 5 2" in played.said, "the command line goes before the environment"
    laptop.environ["METAFLOW_FLOW_CONFIG_VALUE"] = "[1]"
    played = laptop.run(script)
    assert played.code == 2
    assert "METAFLOW_FLOW_CONFIG_VALUE isn't a JSON object" in played.err


def test_what_a_step_had_set_when_it_failed_or_its_time_was_over_goes_on_with_catch(laptop: Laptop) -> None:
    laptop.write(
        "catching.py",
        """
        import time
        from metaflow import FlowSpec, catch, current, retry, step, timeout

        class Mine(Exception):
            pass

        class Catching(FlowSpec):
            @step
            def start(self):
                self.kinds = ["value", "mine", "time"]
                self.next(self.work, foreach="kinds")

            @catch(var="failure", print_exception=False)
            @timeout(seconds=1)
            @retry(times=1, minutes_between_retries=0)
            @step
            def work(self):
                self.kind = self.input
                self.attempt = current.retry_count
                if self.kind == "value":
                    int("two")
                if self.kind == "mine":
                    raise Mine("a b")
                try:
                    time.sleep(60)
                finally:
                    self.tidied = True
                self.next(self.join)

            @step
            def join(self, inputs):
                for one in inputs:
                    told = one.failure
                    print(one.kind, one.attempt, told.type, "|", told.exception, "|", "work" in told.stacktrace)
                print("tidied", inputs[2].tidied)
                self.next(self.end)

            @step
            def end(self):
                pass

        if __name__ == "__main__":
            Catching()
        """,
    )
    played = laptop.reflow("run", "catching.py")
    assert played.code == 0, played.all
    assert "value 1 builtins.ValueError | invalid literal for int() with base 10: 'two' | True" in played.said
    assert "mine 1 __main__.Mine | a b | True" in played.said
    late = "time 1 metaflow.plugins.timeout_decorator.TimeoutException | the step timed out after 1 second | True"
    assert late in played.said
    assert "tidied True" in played.said
    asked = laptop.play(
        "-c",
        "from reflow import Run, namespace; namespace(None); tasks = list(Run('Catching/1')['work']);"
        "print([(t.exception, sorted(m.value for m in t.metadata if m.type == 'attempt')) for t in tasks])",
    )
    assert asked.out.strip() == str([(None, ["0", "1"])] * 3), asked.all


def test_a_foreach_goes_over_arrays_and_tables(laptop: Laptop) -> None:
    pytest.importorskip("pandas")
    script = laptop.flow(
        "Arrays",
        """
        kind = Parameter("kind")

        @step
        def start(self):
            import numpy, pandas
            self.xs = {
                "array": numpy.arange(3),
                "matrix": numpy.ones((2, 2)),
                "column": pandas.Series([4, 5], index=[8, 9]),
                "table": pandas.DataFrame({"a": [1], "b": [2]}),
            }[self.kind]
            self.next(self.work, foreach="xs")

        @step
        def work(self):
            self.seen = str(self.input)
            self.next(self.join)

        @step
        def join(self, inputs):
            print("seen", [one.seen for one in inputs])
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    for kind, seen in {
        "array": ["0", "1", "2"],
        "matrix": ["[1. 1.]", "[1. 1.]"],
        "column": ["4", "5"],
        "table": ["a", "b"],
    }.items():
        played = laptop.run(script, "--kind", kind)
        assert f"seen {seen}" in played.said, played.all


def test_a_value_that_cant_be_kept_is_told_with_the_line_that_sets_it(laptop: Laptop) -> None:
    laptop.write(
        "base.py",
        """
        from reflow import FlowSpec, step

        class Base(FlowSpec):
            @step
            def start(self):
                self.first = 1
                self.handle = open(__file__)
                self.next(self.end)
        """,
    )
    laptop.write(
        "own.py",
        textwrap.dedent("""
        import base
        from reflow import step

        class Own(base.Base):
            @step
            def end(self):
                pass

        if __name__ == "__main__":
            Own()
        """),
    )
    played = laptop.run("own.py")
    assert played.code == 1
    assert "base.py:8: self.handle can't be kept as an artifact" in played.all


def test_a_resume_has_the_tags_that_its_origin_was_given_meanwhile(laptop: Laptop) -> None:
    script = laptop.flow(
        "Tagged",
        """
        @step
        def start(self):
            run = Task(current.pathspec).parent.parent
            if current.origin_run_id is None:
                run.add_tag("given by the step")
                raise ValueError("once")
            print("tags", sorted(run.user_tags))
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    assert laptop.run(script, "--tag", "first").code == 1
    assert "tags ['first', 'given by the step', 'second']" in laptop.resume(script, "--tag", "second").said
    assert laptop.play(str(script), "tag", "add", "--run-id", "2", "user:tester", "third").code == 0
    listed = laptop.play(str(script), "tag", "list", "--run-id", "2", "--flat", "--hide-system-tags")
    assert listed.out.splitlines() == ["first", "given by the step", "second", "third"]


LACKING = """
    from metaflow import FlowSpec, step

    class Lacking(FlowSpec):
        @step
        def start(self):
            import metaflow.plugins.aws
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        Lacking()
"""


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ("", "which has no such module"),
        ("import metaflow.plugins.aws", "which has no such module"),
        ("from metaflow import nosuch", "which has no such name"),
    ],
)
def test_an_import_of_what_reflow_lacks_is_told_in_words(laptop: Laptop, above: str, said: str) -> None:
    laptop.write("lacking.py", f"    {above}{LACKING}")
    played = laptop.reflow("run", "lacking.py")
    assert played.code == 1
    assert f"In this run metaflow means Reflow, {said}" in played.all
    assert "lacking.py" in played.all
