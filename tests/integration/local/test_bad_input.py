"""What is wrong is told in one clear sentence, before a run id is used and with nothing half-written."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from tests.integration.local.laptop import Laptop, Played

FINE = """
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        print("fine")
    """


def refused(laptop: Laptop, played: Played, *texts: str, code: int = 1) -> None:
    """One sentence, the exit code, no traceback of ours, nothing in the store."""
    assert played.code == code, played.all
    for text in texts:
        assert text in played.err, played.err
    assert played.err.count("error: ") == 1
    assert "reflow/" not in played.err.replace("reflow/__init__.py", ""), played.err
    assert "Workflow starting" not in played.out
    assert not (laptop.folder / ".reflow").exists(), laptop.files()


NO_FLOWS = {
    "empty": ("", "the script holds no flow: no class in it derives from FlowSpec"),
    "other class": ("class A:\n    pass\n", "the script holds no flow"),
    "not python": ("this is not Python at all\n", "SyntaxError"),
    "half": ("from reflow import FlowSpec\nclass A(FlowSpec:\n", "SyntaxError"),
    "missing module": ("import no_such_module_here\n", "No module named 'no_such_module_here'"),
    "missing name": ("from reflow import Flowspec\n", "Flowspec"),
    "raises": ("x = 1 / 0\n", "ZeroDivisionError"),
    "exits": ("import sys\nsys.exit(0)\n", "sys.exit(0)"),
    "two": (
        "from reflow import FlowSpec, step\n"
        "class A(FlowSpec):\n    @step\n    def start(self): self.next(self.end)\n    @step\n    def end(self): pass\n"
        "class B(A):\n    pass\nclass C(A):\n    pass\n",
        "several flows (B, C)",
    ),
    "nul": (b"x = 1\x00\n", "null bytes"),
    "bom and crlf": (b"\xef\xbb\xbfx = 1\r\n", "the script holds no flow"),
}


@pytest.mark.parametrize("name", NO_FLOWS)
def test_a_script_that_is_no_flow(laptop: Laptop, name: str) -> None:
    source, text = NO_FLOWS[name]
    path = laptop.folder / "script.py"
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    for command in ("run", "resume", "show", "check"):
        refused(laptop, laptop.reflow(command, "script.py"), text, "script.py")


def test_a_file_that_isnt_there_or_is_a_folder_or_cant_be_read(laptop: Laptop) -> None:
    laptop.write("mising.py", "")
    told = "there is no file missing.py (did you mean mising.py?)"
    refused(laptop, laptop.reflow("run", "missing.py"), told, code=2)
    refused(
        laptop, laptop.reflow("show", "mising"), "there is no file mising (did you mean mising.py?)", code=2
    )
    (laptop.folder / "folder.py").mkdir()
    refused(
        laptop, laptop.reflow("run", "folder.py"), "folder.py is a folder: name the flow's file in it", code=2
    )


def test_a_command_that_isnt_there_is_told_with_the_one_that_was_meant(laptop: Laptop) -> None:
    script = str(laptop.flow("Fine", FINE))
    for played in (laptop.play(script, "rsume"), laptop.reflow("rsume", script)):
        refused(
            laptop,
            played,
            "there is no command 'rsume' (did you mean resume?); the commands are run,",
            code=2,
        )
    refused(laptop, laptop.play(script, "show", "--with-all"), "show has no option --with-all", code=2)
    refused(laptop, laptop.play(script, "run", "--tag", ""), "'' can't be a tag", code=2)
    refused(laptop, laptop.play(script, "run", "--with", "rety"), "'rety' (did you mean retry?)", code=2)


def test_a_command_that_metaflow_has_is_answered_with_what_is_there_instead(laptop: Laptop) -> None:
    script = str(laptop.flow("Fine", FINE))
    played = laptop.play(script, "argo-workflows", "create")
    refused(
        laptop, played, "there is no command 'argo-workflows' here: in a cluster a flow is run by", code=2
    )


def test_help_lists_what_a_command_takes_with_a_file_and_without(laptop: Laptop) -> None:
    script = str(laptop.flow("Fine", "    alpha = Parameter('alpha', default=3, help='how much')\n" + FINE))
    general, own = laptop.reflow("run", "--help"), laptop.play(script, "run", "--help")
    assert (general.code, own.code) == (0, 0)
    for option in ("--max-workers", "--with", "--tag", "--store"):
        assert option in general.out
        assert option in own.out
    assert "--alpha" not in general.out
    assert re.search(r"--alpha VALUE +how much \[a whole number\] \[default: 3\]", own.out)
    assert laptop.reflow("spin", "-h").out.startswith("usage: reflow spin FILE")


def test_an_import_that_fails_in_another_file_shows_the_way_there(laptop: Laptop) -> None:
    laptop.write("beside.py", "def load():\n    return 1 / 0\nload()\n")
    laptop.write("script.py", "import beside\n")
    played = laptop.reflow("run", "script.py")
    assert played.code == 1
    assert "beside.py" in played.err
    assert "ZeroDivisionError: division by zero" in played.err
    assert "line 2, in load" in played.err
    assert "reflow/" not in played.err


def step_source(name: str, body: str, arguments: str = "self") -> str:
    return f"@step\ndef {name}({arguments}):\n    {body}\n\n"


START, END = step_source("start", "self.next(self.end)"), step_source("end", "pass")
GRAPHS = {
    "no start": (step_source("first", "self.next(self.end)") + END, "has no step 'start'"),
    "no end": (START, "end"),
    "no steps": ("x = 1\n", "has no steps"),
    "unreached": (
        START + step_source("lonely", "self.next(self.end)") + END,
        "Nothing leads to step 'lonely'",
    ),
    "unknown target": (step_source("start", "self.next(self.nowhere)") + END, "nowhere"),
    "no next": (step_source("start", "pass") + END, "has no self.next"),
    "two nexts": (
        step_source("start", "self.next(self.end)\n    self.next(self.end)") + END,
        "2 calls of self.next",
    ),
    "join without inputs": (
        step_source("start", "self.next(self.a, self.b)")
        + step_source("a", "self.next(self.j)")
        + step_source("b", "self.next(self.j)")
        + step_source("j", "self.next(self.end)")
        + END,
        "takes no inputs",
    ),
    "inputs without a split": (
        step_source("start", "self.next(self.j)")
        + step_source("j", "self.next(self.end)", "self, inputs")
        + END,
        "has nothing to join",
    ),
    "never joined": (
        step_source("start", "self.x = [1]\n    self.next(self.a, foreach='x')")
        + step_source("a", "self.next(self.end)")
        + END,
        "is never joined",
    ),
    "circle": (
        step_source("start", "self.next(self.a)") + step_source("a", "self.next(self.start)") + END,
        "circle",
    ),
    "one case": (
        step_source("start", "self.c = 1\n    self.next({1: self.end}, condition='c')") + END,
        "two cases",
    ),
    "reserved name": (
        step_source("start", "self.next(self.inputs)") + step_source("inputs", "self.next(self.end)") + END,
        "can't be called 'inputs'",
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_that_cant_run(laptop: Laptop, name: str) -> None:
    source, text = GRAPHS[name]
    script = laptop.flow("Bad", source)
    for command in (("run",), ("resume",), ("check",)):
        played = laptop.play(script.name, *command)
        assert re.search(r"error: bad\.py:\d+: ", played.err), played.err
        refused(laptop, played, text)


def test_show_and_check_tell_of_a_good_flow_without_touching_a_store(laptop: Laptop) -> None:
    script = laptop.flow("Fine", FINE)
    assert laptop.play(str(script), "check").out == "Fine: the graph of 2 steps looks good.\n"
    assert "Step start\n" in laptop.play(str(script), "show").out
    assert not (laptop.folder / ".reflow").exists()


STORES = {
    "closed port": ("s3://bucket/p?endpoint=http://127.0.0.1:1", "127.0.0.1:1"),
    "other scheme": ("gs://bucket", "not gs://"),
    "no bucket": ("s3://", "bucket"),
    "missing parent": ("/no/such/place/for/a/store", "/no/such/place/for/a"),
    "a file": ("{folder}/file", "file"),
}


@pytest.mark.parametrize("name", STORES)
def test_a_store_that_cant_be_used(laptop: Laptop, name: str) -> None:
    url, text = STORES[name]
    (laptop.folder / "file").touch()
    laptop.environ = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    script = laptop.flow("Fine", FINE)
    played = laptop.run(script, "--store", url.format(folder=laptop.folder))
    assert played.code in (1, 2), played.all
    assert text in played.err
    assert "--store" in played.err or played.code == 2
    assert "Traceback" not in played.err
    assert played.seconds < 45
    assert not (laptop.folder / ".reflow").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cant_be_written(laptop: Laptop) -> None:
    folder = laptop.folder / "locked"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    played = laptop.run(laptop.flow("Fine", FINE), "--store", str(folder / "store"))
    assert played.code == 1
    assert "Permission denied" in played.err


def test_the_store_is_found_by_option_then_environment_then_configuration(laptop: Laptop) -> None:
    script = laptop.flow("Fine", FINE)
    laptop.write("reflow.toml", 'store = "configured"\n')
    assert laptop.run(script).code == 0
    assert (laptop.folder / "configured" / "Fine" / "runs" / "1").is_dir()
    laptop.environ = {"REFLOW_STORE": "from-environment"}
    assert laptop.run(script).code == 0
    assert (laptop.folder / "from-environment" / "Fine" / "runs" / "1").is_dir()
    assert laptop.run(script, "--store", "by-option").code == 0
    assert (laptop.folder / "by-option" / "Fine" / "runs" / "1").is_dir()
    laptop.environ = {}
    laptop.write("reflow.toml", "store = [1]\n")
    played = laptop.run(script)
    assert played.code == 2
    assert "reflow.toml: store must be text" in played.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("run",),
        ("resume",),
        ("apply",),
        ("apply", "-f"),
        ("apply", "-f", "x.yaml"),
        ("apply", "--local"),
        ("run", "--help", "x"),
        ("run", "fine.py", "--no-such-option"),
        ("run", "fine.py", "extra", "words"),
        ("show", "fine.py", "--max-workers", "3"),
        ("--nonsense",),
        ("version", "x"),
        ("package",),
        ("",),
        ("run", ""),
        ("run", "fine.py", "--max-workers"),
        ("run", "fine.py", "--tag"),
        ("run", "fine.py", "--run-id-file", "no/such/folder/id"),
    ],
    ids=" ".join,
)
def test_odd_arguments_are_refused_in_a_sentence(laptop: Laptop, arguments: tuple[str, ...]) -> None:
    laptop.flow("Fine", FINE)
    played = laptop.reflow(*arguments)
    assert "Traceback" not in played.all, played.all
    if "--help" in arguments:
        return
    assert played.code in (1, 2), played.all
    assert "error: " in played.err, played.all
    assert "Workflow starting" not in played.out


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), ("-h",), ("run", "--help"), ("apply", "--help")], ids=" ".join
)
def test_help_is_given_with_exit_code_0(laptop: Laptop, arguments: tuple[str, ...]) -> None:
    played = laptop.reflow(*arguments)
    assert played.code == 0
    assert "usage: " in played.out


def test_a_script_without_a_command_shows_its_help(laptop: Laptop) -> None:
    script = laptop.flow("Fine", FINE)
    played = laptop.play(str(script))
    assert played.code == 0
    assert "resume" in played.out
    played = laptop.play(str(script), "rn")
    assert played.code == 2
    assert "rn" in played.err


def test_a_store_within_a_folder_of_another_flow_keeps_them_apart(laptop: Laptop) -> None:
    one = laptop.flow("One", FINE)
    two = laptop.flow("Two", FINE)
    assert laptop.run(one).code == laptop.run(two).code == laptop.run(one).code == 0
    assert laptop.runs("One") == ["1", "2"]
    assert laptop.runs("Two") == ["1"]


def test_a_run_leaves_few_files(laptop: Laptop) -> None:
    """Three objects a task at most, besides the run's own."""
    script = laptop.flow("Fine", FINE)
    laptop.run(script)
    of_tasks = [path for path in laptop.files() if "/tasks/" in path or "/logs/" in path]
    assert len(of_tasks) == 2
    assert not [path for path in laptop.files() if path.startswith(".tmp/")]


def test_a_script_changed_while_it_runs_is_told_so(laptop: Laptop) -> None:
    script = laptop.flow(
        "Changing",
        """
        @step
        def start(self):
            text = open(__file__).read()
            open(__file__, "w").write(text.replace("self.next(self.end)", "self.next(self.other)").replace(
                "    @step\\n    def end", "    @step\\n    def other(self):\\n        self.next(self.end)\\n\\n"
                "    @step\\n    def end"))
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    Path(script).chmod(0o644)
    played = laptop.run(script, "--fresh-process")
    assert played.code == 1
    assert "the steps in the script aren't those that the run was started with" in played.all
    assert "Traceback" not in played.all
