"""`reflow apply --local`: FlowRuns and Resumes in the foreground, as an API server would take them."""

from __future__ import annotations

import signal
import textwrap
from pathlib import Path

from tests.integration.local.laptop import Laptop
from tests.integration.local.test_resume import DEBUG
from tests.integration.local.test_stopping import SLOW, wait_for

HEAD = "from reflow import *\nimport os, sys, time\n\n"


def script(flow: str, body: str) -> str:
    steps = textwrap.indent(textwrap.dedent(body), "    ")
    return f"{HEAD}class {flow}(FlowSpec):\n{steps}\nif __name__ == '__main__':\n    {flow}()\n"


def inline(source: str) -> str:
    return "    script: debug.py\n    inline: |\n" + textwrap.indent(source, "      ")


def flowrun(name: str, flow: str, source: str, more: str = "") -> str:
    head = f"apiVersion: reflow.dev/v1alpha1\nkind: FlowRun\nmetadata:\n  name: {name}\n"
    return f"{head}spec:\n  flow: {flow}\n{more}  code:\n{inline(source)}"


def resume(name: str, origin: str, source: str = "", more: str = "") -> str:
    head = f"apiVersion: reflow.dev/v1alpha1\nkind: Resume\nmetadata:\n  name: {name}\n"
    code = f"  code:\n{inline(source)}" if source else ""
    return f"{head}spec:\n{origin}{more}{code}"


FAILING = script("DebugFlow", DEBUG)
FIXED = FAILING.replace("2fail", "2")
BY_NAME = "  originRef:\n    name: debug-1\n"


def write(laptop: Laptop, *documents: str, name: str = "m.yaml") -> Path:
    path = laptop.folder / name
    path.write_text("---\n".join(documents))
    return path


def test_a_flowrun_fails_and_its_resume_with_the_fix_completes(laptop: Laptop) -> None:
    write(laptop, flowrun("debug-1", "DebugFlow", FAILING))
    played = laptop.reflow("apply", "--local", "-f", "m.yaml")
    assert played.code == 1
    assert "flowrun.reflow.dev/debug-1 created" in played.out
    assert "Workflow starting (run-id k8s-debug-1):" in played.said
    assert '  File "debug.py", line ' in played.out
    assert ".code" not in played.all
    assert str(laptop.folder) not in played.all
    assert "Step b (task-id 0) failed." in played.err
    write(laptop, resume("debug-1-fixed", BY_NAME, FIXED), name="r.yaml")
    played = laptop.reflow("apply", "--local", "-f", "r.yaml")
    assert played.code == 0, played.all
    assert "total is 3" in played.said
    assert laptop.executed("DebugFlow", "k8s-debug-1-fixed") == ["b/0", "end/0", "join/0"]


def test_applying_the_same_again_does_nothing_and_gives_the_same_exit_code(laptop: Laptop) -> None:
    write(laptop, flowrun("good", "DebugFlow", FIXED), name="g.yaml")
    write(laptop, flowrun("bad", "DebugFlow", FAILING), name="b.yaml")
    for name, code, word in (("g", 0, "succeeded"), ("b", 1, "failed")):
        kind = {"g": "good", "b": "bad"}[name]
        assert laptop.reflow("apply", "--local", "-f", f"{name}.yaml").code == code
        before = laptop.files()
        played = laptop.reflow("apply", "--local", "-f", f"{name}.yaml")
        assert played.code == code
        assert played.out == f"flowrun.reflow.dev/{kind} unchanged: its run k8s-{kind} {word}.\n"
        assert laptop.files() == before


def test_a_changed_spec_is_refused_and_a_changed_limit_isnt(laptop: Laptop) -> None:
    path = write(laptop, flowrun("debug-1", "DebugFlow", FAILING))
    laptop.reflow("apply", "--local", "-f", "m.yaml")
    path.write_text(path.read_text().replace("2fail", "2"))
    played = laptop.reflow("apply", "--local", "-f", "m.yaml")
    assert played.code == 2
    assert "FlowRun debug-1 was applied before, and its spec.code can't be changed" in played.err
    path.write_text(flowrun("debug-1", "DebugFlow", FAILING, "  maxWorkers: 3\n"))
    assert "unchanged" in laptop.reflow("apply", "--local", "-f", "m.yaml").out


def test_a_run_that_was_killed_goes_on_when_its_manifest_is_applied_again(laptop: Laptop) -> None:
    write(laptop, flowrun("slow", "Slow", script("Slow", SLOW)))
    for number in (signal.SIGKILL, signal.SIGINT):
        going = laptop.start("-m", "reflow", "apply", "--local", "-f", "m.yaml")
        wait_for(lambda: (laptop.folder / "pid-5").exists(), "the tasks' start")
        wait_for(lambda: len(laptop.store("Slow").index("k8s-slow")) >= 4, "the quick tasks' end")
        going.signal(number)
        assert going.end(10).code != 0
        (laptop.folder / "pid-5").unlink()
    (laptop.folder / "quick").touch()
    played = laptop.reflow("apply", "--local", "-f", "m.yaml")
    assert played.code == 0, played.all
    assert "flowrun.reflow.dev/slow goes on" in played.out
    assert "start ran" not in played.said
    assert "sum 15" in played.said
    assert "unchanged: its run k8s-slow succeeded" in laptop.reflow("apply", "--local", "-f", "m.yaml").out


def test_a_resume_may_name_a_resume_and_a_run_id(laptop: Laptop) -> None:
    again = FAILING.replace("pass", "1 / 0").replace("2fail", "2")
    documents = [
        flowrun("debug-1", "DebugFlow", FAILING),
        resume("second", BY_NAME, again),
        resume("third", "  originRef:\n    name: second\n", FIXED),
        resume("fourth", "  originRunID: k8s-debug-1\n  flow: DebugFlow\n", FIXED),
    ]
    write(laptop, *documents)
    played = laptop.reflow("apply", "--local", "-f", "m.yaml")
    assert played.code == 1, played.all
    assert laptop.executed("DebugFlow", "k8s-second") == ["b/0", "join/0"]
    assert laptop.executed("DebugFlow", "k8s-third") == ["end/0"]
    assert laptop.executed("DebugFlow", "k8s-fourth") == ["b/0", "end/0", "join/0"]
    assert laptop.manifest("DebugFlow", "k8s-third").clones.keys() == {"k8s-debug-1", "k8s-second"}


def test_a_resume_without_code_runs_the_origins(laptop: Laptop) -> None:
    source = script("Flaky", DEBUG.replace("int('2fail')", "int(open('value').read())"))
    (laptop.folder / "value").write_text("x")
    write(laptop, flowrun("debug-1", "Flaky", source), resume("r", BY_NAME))
    assert laptop.reflow("apply", "--local", "-f", "m.yaml").code == 1
    (laptop.folder / "value").write_text("2")
    write(laptop, resume("r2", BY_NAME))
    played = laptop.reflow("apply", "--local", "-f", "m.yaml")
    assert "total is 3" in played.said, played.all


def test_a_run_of_a_manifest_is_resumed_by_a_script_and_the_other_way_round(laptop: Laptop) -> None:
    write(laptop, flowrun("debug-1", "DebugFlow", FAILING))
    laptop.reflow("apply", "--local", "-f", "m.yaml")
    laptop.write("debug.py", FIXED)
    played = laptop.resume("debug.py", "--origin-run-id", "k8s-debug-1")
    assert played.code == 0, played.all
    laptop.write("debug.py", FAILING)
    laptop.run("debug.py")
    write(laptop, resume("r", "  originRunID: '2'\n  flow: DebugFlow\n", FIXED))
    played = laptop.reflow("apply", "--local", "-f", "m.yaml")
    assert played.code == 0, played.all


def test_parameters_are_typed_and_unknown_ones_refused(laptop: Laptop) -> None:
    body = """
        alpha = Parameter("alpha", default=0.5)
        words = Parameter("words", type=JSONType)

        @step
        def start(self):
            print("alpha", self.alpha, self.words)
            self.next(self.end)

        @step
        def end(self):
            pass
        """
    given = "  parameters:\n    alpha: 2\n    words: [a, {b: 1}]\n"
    write(laptop, flowrun("p", "P", script("P", body), given))
    assert "alpha 2.0 ['a', {'b': 1}]" in laptop.reflow("apply", "--local", "-f", "m.yaml").said
    for more, text in (
        ("    beta: 1\n", "beta"),
        ("    alpha: x\n", "spec.parameters.alpha: the parameter is"),
    ):
        write(laptop, flowrun("q", "P", script("P", body), f"  parameters:\n{more}"))
        before = laptop.runs("P")
        played = laptop.reflow("apply", "--local", "-f", "m.yaml")
        assert played.code == 2
        assert text in played.err
        assert laptop.runs("P") == before


def test_steps_are_overridden(laptop: Laptop) -> None:
    body = """
        @step
        def start(self):
            if current.retry_count < 2:
                raise ValueError(current.retry_count)
            self.next(self.end)

        @step
        def end(self):
            pass
        """
    retries = "  steps:\n    start:\n      retries: 2\n      retryDelaySeconds: 0\n"
    write(laptop, flowrun("o", "O", script("O", body), retries))
    played = laptop.reflow("apply", "--local", "-f", "m.yaml")
    assert played.code == 0, played.all
    write(laptop, flowrun("o2", "O", script("O", body), "  steps:\n    strat:\n      retries: 2\n"))
    played = laptop.reflow("apply", "--local", "-f", "m.yaml")
    assert played.code == 2
    assert "strat" in played.err


WRONG = {
    "misspelt field": (flowrun("a", "DebugFlow", FIXED, "  maxWorker: 3\n"), "maxWorker"),
    "misspelt at the top": (flowrun("a", "DebugFlow", FIXED).replace("spec:", "specs:"), "spec"),
    "no code": (
        "apiVersion: reflow.dev/v1alpha1\nkind: FlowRun\nmetadata: {name: a}\nspec: {flow: A}\n",
        "code",
    ),
    "unknown kind": (flowrun("a", "DebugFlow", FIXED).replace("FlowRun", "Flowrun"), "Flowrun"),
    "unknown version": (flowrun("a", "DebugFlow", FIXED).replace("v1alpha1", "v9"), "v9"),
    "bad name": (flowrun("A_b", "DebugFlow", FIXED), "A_b"),
    "no YAML": ("a: [1\n", "YAML"),
    "empty": ("", "m.yaml"),
    "other flow": (flowrun("a", "Other", FIXED), "Other"),
    "syntax error": (flowrun("a", "DebugFlow", "def x(:\n  pass\n"), "debug.py:1"),
    "missing module": (flowrun("a", "DebugFlow", "import nothing_there\n"), "debug.py:1"),
    "no such origin": (resume("a", BY_NAME, FIXED), "debug-1"),
    "no such run": (resume("a", "  originRunID: k8s-x\n  flow: DebugFlow\n", FIXED), "k8s-x"),
    "no flow": (resume("a", "  originRunID: k8s-x\n", FIXED), "flow"),
    "two origins": (resume("a", BY_NAME + "  originRunID: x\n  flow: DebugFlow\n", FIXED), "origin"),
    "parameters on resume": (resume("a", BY_NAME, FIXED, "  parameters:\n    x: 1\n"), "parameters"),
    "package that isn't there": (
        "apiVersion: reflow.dev/v1alpha1\nkind: FlowRun\nmetadata: {name: a}\nspec: {flow: A, code: {script: a.py, "
        f"package: {'ab' * 32}}}}}\n",
        "ab" * 32,
    ),
    "image's file": (
        "apiVersion: reflow.dev/v1alpha1\nkind: FlowRun\nmetadata: {name: a}\nspec: {flow: A, image: x:1, "
        "code: {image: {path: /app/no/debug.py}}}\n",
        "/app/no/debug.py",
    ),
}


def test_a_wrong_manifest_is_refused_and_nothing_is_written(laptop: Laptop) -> None:
    for name, (document, text) in WRONG.items():
        write(laptop, document)
        played = laptop.reflow("apply", "--local", "-f", "m.yaml")
        assert played.code in (1, 2), (name, played.all)
        assert text in played.err, (name, played.err)
        assert "Traceback" not in played.err, (name, played.err)
        assert "/.code/" not in played.err, (name, played.err)
        assert not [f for f in laptop.files() if "/runs/" in f or ".applied" in f], (name, laptop.files())


def test_one_wrong_document_among_several_keeps_all_from_running(laptop: Laptop) -> None:
    write(laptop, flowrun("a", "DebugFlow", FIXED), flowrun("b", "DebugFlow", FIXED, "  maxWorker: 3\n"))
    played = laptop.reflow("apply", "--local", "-f", "m.yaml")
    assert played.code == 2
    assert "maxWorker" in played.err
    assert "Workflow starting" not in played.out


def test_several_flows_in_one_file_each_run_with_their_own_script(laptop: Laptop) -> None:
    one = script(
        "One",
        "@step\ndef start(self):\n    self.x = 1\n    self.next(self.end)\n\n@step\ndef end(self):\n"
        "    print('one', self.x)\n",
    )
    write(
        laptop,
        flowrun("one", "One", one),
        flowrun("two", "Two", one.replace("One", "Two").replace("'one'", "'two'")),
    )
    played = laptop.reflow("apply", "--local", "-f", "m.yaml")
    assert played.code == 0, played.all
    assert {"one 1", "two 1"} <= set(played.said)
