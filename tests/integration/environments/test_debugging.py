"""A debugger in a step that has an environment of its own."""

from __future__ import annotations

import sys

import pytest

from tests.integration.debugging.typist import Typist
from tests.integration.environments.conftest import Bench

FLOW = """
    @step
    def start(self):
        self.x = 20
        self.next(self.b)

    @pypi(packages={"alpha": "<2"})
    @step
    def b(self):
        import alpha
        version = alpha.VERSION
        BREAK
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def test_a_breakpoint_opens_pdb_in_the_steps_own_python(bench: Bench) -> None:
    script = bench.flow("Breaking", FLOW.replace("BREAK", "breakpoint()"))
    with Typist(bench, str(script), "run", "--max-workers", "1") as typist:
        typist.sees("(Pdb) ")
        typist.types("p sys.prefix, version, self.x * 2")
        typist.sees(f"('{bench.environments[0]}', '1.1', 40)")
        typist.types("continue")
        typist.sees("Done!")
        assert typist.ends() == 0


@pytest.mark.parametrize("by", ["script", "debug FILE", "run FILE --quiet debug"])
def test_debug_opens_the_failed_step_with_its_packages_and_its_inputs(bench: Bench, by: str) -> None:
    script = bench.flow("Failing", FLOW.replace("BREAK", "1 / 0"))
    assert bench.run(script).code == 1
    console = ("-c", "from reflow.cli.main import console; console()")
    command = [str(script) if word == "FILE" else word for word in by.split()]
    with Typist(
        bench, *([str(script), "debug"] if by == "script" else [*console, *command]), "1/b"
    ) as typist:
        typist.sees("Failing/1/b/0: its step again")
        typist.sees("(Pdb) ")
        typist.types("n")
        typist.types("n")
        typist.types("p sys.prefix, version, self.x * 2")
        typist.sees(f"('{bench.environments[0]}', '1.1', 40)")
        typist.types("q")
        assert typist.ends() == 1


def test_an_ides_breakpoint_is_hit_in_the_steps_own_python(bench: Bench) -> None:
    pytest.importorskip("debugpy")
    from tests.integration.debugging.dap import Ide
    from tests.integration.debugging.test_ide import configuration, follow_to_the_end, stopped_child

    bench.python = sys.executable  # which has debugpy; the step's environment hasn't
    script = bench.flow("Ided", FLOW.replace("BREAK", "self.found = version"))
    line = next(n for n, text in enumerate(script.read_text().splitlines(), 1) if "self.found" in text)
    with Ide(bench) as ide:
        parent = ide.launch({**configuration("DebugFlow: run"), "program": str(script)}, {script: [line]})
        child, thread, frame = stopped_child(ide, parent, {script: [line]})
        assert frame["line"] == line
        assert child.evaluate("version", frame) == "'1.1'"
        assert child.evaluate("__import__('sys').prefix", frame) == f"'{bench.environments[0]}'"
        child.ask("continue", threadId=thread)
        follow_to_the_end(ide, parent, {script: [line]})
        assert ide.ends() == 0, ide.output.read_text()
    assert bench.value("Ided", "1", "end/0", "found") == "1.1"
