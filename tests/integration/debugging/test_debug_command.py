"""`debug RUN/STEP/TASK`: a task's step again with its real inputs, and nothing kept."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.integration.debugging.dap import Ide
from tests.integration.debugging.typist import Typist
from tests.integration.local.laptop import Going, Laptop

FLOW = """
    @step
    def start(self):
        self.items = [4, 0, 2]
        self.next(self.each, foreach="items")

    @step
    def each(self):
        share = 12 / self.input
        self.share = share
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(i.share for i in inputs)
        self.next(self.end)

    @step
    def end(self):
        pass
"""


@pytest.fixture
def script(laptop: Laptop) -> Path:
    """A flow whose task each/1 has failed."""
    made = laptop.flow("Shares", FLOW)
    assert laptop.run(made, "--max-workers", "1").code == 1
    return made


@pytest.mark.parametrize("named", ["1/each/1", "1/each", "1", "Shares/1/each/1", "each", "each/1", ""])
def test_the_failed_task_opens_at_its_steps_first_line_and_again_where_it_raises(
    laptop: Laptop, script: Path, named: str
) -> None:
    before = laptop.files()
    with Typist(laptop, str(script), "debug", *([named] if named else [])) as typist:
        typist.sees("Shares/1/each/1: its step again")
        assert "-> share = 12 / self.input" in typist.sees("(Pdb) ")
        typist.types("p 7000 + self.input")
        typist.sees("7000")
        typist.types("c")
        typist.sees("ZeroDivisionError: division by zero")
        typist.sees("-> share = 12 / self.input")
        typist.sees("(Pdb) ")
        typist.types("p self.index + 500")
        typist.sees("501")
        typist.types("q")
        typist.sees("didn't come to its end")
        assert typist.ends() == 1
    assert laptop.files() == before


def test_a_fixed_step_comes_to_its_end_and_nothing_is_kept(laptop: Laptop, script: Path) -> None:
    script.write_text(script.read_text().replace("12 / self.input", "12 / (self.input or 1)"))
    before = laptop.files()
    with Typist(laptop, str(script), "debug", "1/each/1") as typist:
        typist.sees("(Pdb) ")
        typist.types("n")
        typist.sees("-> self.share = share")
        typist.types("c")
        typist.sees("it would go on to join")
        assert typist.ends() == 0
    assert laptop.files() == before


def test_a_task_that_succeeded_opens_too_and_quitting_leaves_it(laptop: Laptop, script: Path) -> None:
    with Typist(laptop, str(script), "debug", "1/each/0") as typist:
        typist.sees("(Pdb) ")
        typist.types("p self.input + 100")
        typist.sees("104")
        typist.types("q")
        assert typist.ends() == 1


def test_a_join_opens_with_its_inputs(laptop: Laptop, script: Path) -> None:
    script.write_text(script.read_text().replace("[4, 0, 2]", "[4, 1, 2]"))
    assert laptop.run(script).code == 0
    with Typist(laptop, str(script), "debug", "2/join") as typist:
        typist.sees("(Pdb) ")
        typist.types("p [i.share for i in inputs]")
        typist.sees("[3.0, 12.0, 6.0]")
        typist.types("c")
        typist.sees("it would go on to end")
        assert typist.ends() == 0


def test_reflow_debug_takes_a_file(laptop: Laptop, script: Path) -> None:
    entry = ("-c", "from reflow.cli.main import console; console()")
    with Typist(laptop, *entry, "debug", str(script), "1/each") as typist:
        typist.sees("(Pdb) ")
        typist.types("q")
        assert typist.ends() == 1


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("9/each", "Run 9 of Shares isn't in the store"),
        ("1/nowhere", "has no step nowhere"),
        ("1/each/77x", "has no task '77x'"),
        ("1/join", "takes its input from each/1, which hasn't finished"),
        ("1/2/3/4/5", "isn't of the form"),
    ],
)
def test_what_cant_be_opened_is_said(laptop: Laptop, script: Path, named: str, said: str) -> None:
    with Typist(laptop, str(script), "debug", named) as typist:
        assert typist.ends() in (1, 2)
        assert said in typist.screen
        assert "Traceback" not in typist.screen


def test_without_a_terminal_the_way_to_an_ide_is_named(laptop: Laptop, script: Path) -> None:
    played = laptop.play(str(script), "debug", "1/each")
    assert played.code == 2
    assert "--ide" in played.err


def test_an_ide_attaches_to_the_step(laptop: Laptop, script: Path) -> None:
    pytest.importorskip("debugpy")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = 1 + next(n for n, text in enumerate(script.read_text().splitlines()) if "12 / self.input" in text)
    going = laptop.start(str(script), "debug", "1/each/1", "--ide", f"127.0.0.1:{port}")
    waits_for(going, "Waiting for an IDE's debugger")
    with Ide(laptop) as ide:
        session = ide.attach({"connect": {"host": "127.0.0.1", "port": port}}, {script: [line]})
        thread, frame = session.stopped()
        assert frame["line"] == line
        assert session.evaluate("self.input", frame) == "0"
        session.ask("continue", threadId=thread)
        going.process.wait(60)
    played = going.end()  # not before: debugpy's adapter has our pipe until its client is gone
    assert played.code == 1
    assert "ZeroDivisionError" in played.err
    assert "task/debugging.py" not in played.err


def waits_for(going: Going, text: str) -> None:
    assert going.process.stdout
    while text not in (line := going.process.stdout.readline()):
        assert line, "It has ended."


def test_without_debugpy_ide_says_what_to_install(laptop: Laptop, script: Path) -> None:
    laptop.write("debugpy.py", "raise ImportError('not here')")
    played = laptop.play(str(script), "debug", "1/each", "--ide")
    assert played.code == 2
    assert "--ide needs the package debugpy" in played.err
    assert sys.prefix in played.err


def test_the_configurations_are_those_of_the_run(laptop: Laptop) -> None:
    made = laptop.flow(
        "Heated",
        """
        cfg = Config("cfg", default="heat.json")

        @environment(vars={"HEAT": config_expr("str(cfg.heat)")})
        @step(start=True)
        def bake(self):
            found = [self.cfg.heat, os.environ["HEAT"]]
        """,
    )
    heat = laptop.write("heat.json", '{"heat": 1}')
    assert laptop.run(made).code == 0
    heat.write_text('{"heat": 2}')
    with Typist(laptop, str(made), "debug", "bake") as typist:
        typist.sees("Heated/1/bake/0: its step again")
        typist.sees("(Pdb) ")
        typist.types("n")
        typist.types("p 'found', found")
        typist.sees("('found', [1, '1'])")
        typist.types("c")
        typist.sees("came to its end")
        assert typist.ends() == 0
