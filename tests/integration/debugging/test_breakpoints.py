"""breakpoint(), pdb and ipdb in a step: on a terminal they just work; elsewhere a sentence, never a hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.debugging.typist import Typist
from tests.integration.local.laptop import Laptop

WAYS = [pytest.param((), id="forked"), pytest.param(("--fresh-process",), id="fresh")]
FLOW = """
    @step
    def start(self):
        print("before")
        self.next(self.b)

    @step
    def b(self):
        secret = 41
        print("in b")
        BREAK
        self.x = secret + 1
        print("x is", self.x)
        self.next(self.end)

    @step
    def end(self):
        print("after", self.x)
"""


def flow_with(laptop: Laptop, breaking: str) -> Path:
    return laptop.flow("Breaking", FLOW.replace("BREAK", breaking))


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize("breaking", ["breakpoint()", "import pdb; pdb.set_trace()"])
def test_a_breakpoint_on_a_terminal_opens_pdb_and_the_run_goes_on_after_it(
    laptop: Laptop, breaking: str, options: tuple[str, ...]
) -> None:
    script = flow_with(laptop, breaking)
    with Typist(laptop, str(script), "run", "--max-workers", "1", *options) as typist:
        before = typist.sees("(Pdb) ")
        assert "-> self.x = secret + 1" in before
        assert "] in b" in before
        typist.types("p secret * 1000")
        typist.sees("41000")
        typist.types("secret = 1")
        typist.sees("(Pdb) ")
        typist.types("continue")
        typist.sees("x is 2")
        typist.sees("] after 2")
        typist.sees("Done!")
        assert typist.ends() == 0
    assert laptop.value("Breaking", "1", "end/0", "x") == 2
    log = laptop.log("Breaking", "1", "b/0")
    assert "in b" in log
    assert "41000" in log
    assert "x is 2" in log


def test_a_line_is_edited_with_the_arrow_keys_in_pdb(laptop: Laptop) -> None:
    script = flow_with(laptop, "breakpoint()")
    with Typist(laptop, str(script), "run", "--max-workers", "1") as typist:
        typist.sees("(Pdb) ")
        typist.types("p 7777\x1b[D\x1b[D+")  # p 77+77
        typist.sees("\n154")
        typist.types("c")
        assert typist.ends() == 0


IPDB = [
    pytest.param("breakpoint()", "", {"PYTHONBREAKPOINT": "ipdb.set_trace"}, id="by PYTHONBREAKPOINT"),
    pytest.param("import ipdb; ipdb.set_trace()", "", {}, id="imported by the step"),
    pytest.param("ipdb.set_trace()", "import ipdb", {}, id="imported by the script"),
]


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize(("breaking", "top", "environ"), IPDB)
def test_ipdb_opens_too_and_the_run_goes_on_after_it(
    laptop: Laptop, breaking: str, top: str, environ: dict[str, str], options: tuple[str, ...]
) -> None:
    pytest.importorskip("ipdb")
    script = flow_with(laptop, breaking)
    script.write_text(f"{top}\n{script.read_text()}")
    environ = {"HOME": str(laptop.folder), **environ}
    with Typist(laptop, str(script), "run", "--max-workers", "1", *options, environ=environ) as typist:
        typist.sees("ipdb>")
        typist.types("p secret * 1000")
        typist.sees("41000")
        typist.sees("ipdb>")
        typist.types("c")
        typist.sees("x is 42")
        typist.sees("] after 42")
        typist.sees("Done!")
        assert typist.ends() == 0
    assert "\r\r\n\r\r\n" not in typist.raw  # as where its prompt takes this for no terminal
    assert "41000" in laptop.log("Breaking", "1", "b/0")


def test_a_step_reads_what_is_typed(laptop: Laptop) -> None:
    script = flow_with(laptop, "secret = int(input('a number: '))")
    with Typist(laptop, str(script), "run", "--max-workers", "1") as typist:
        typist.sees("a number: ")
        typist.types("6")
        typist.sees("] after 7")
        assert typist.ends() == 0


def test_ctrl_c_in_pdb_is_pdbs_and_quitting_fails_the_step(laptop: Laptop) -> None:
    script = flow_with(laptop, "breakpoint()")
    with Typist(laptop, str(script), "run", "--max-workers", "1") as typist:
        typist.sees("(Pdb) ")
        typist.types("Ctrl-C")
        typist.sees("(Pdb) ")
        typist.types("quit")
        typist.sees("Step b (task-id 0) failed.")
        assert typist.ends() == 1


def test_a_time_limit_waits_while_somebody_debugs(laptop: Laptop) -> None:
    script = laptop.flow(
        "Limited",
        """
        @step
        def start(self):
            self.next(self.end)

        @timeout(seconds=2)
        @step
        def end(self):
            breakpoint()
            print("through")
        """,
    )
    with Typist(laptop, str(script), "run", "--max-workers", "1") as typist:
        typist.sees("(Pdb) ")
        typist.types("import time; time.sleep(2.5)")
        typist.sees("(Pdb) ")
        typist.types("c")
        typist.sees("Done!")
        assert typist.ends() == 0


def test_tasks_after_the_debugged_one_have_their_own_turn(laptop: Laptop) -> None:
    script = laptop.flow(
        "Wide",
        """
        @step
        def start(self):
            self.items = [0, 1]
            self.next(self.each, foreach="items")

        @step
        def each(self):
            breakpoint()
            self.y = self.input
            self.next(self.join)

        @step
        def join(self, inputs):
            print("sum", sum(i.y for i in inputs))
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    with Typist(laptop, str(script), "run", "--max-workers", "1") as typist:
        for index in range(2):
            typist.sees("(Pdb) ")
            typist.types("p 5000 + self.input")
            typist.sees(str(5000 + index))
            typist.types("c")
        typist.sees("] sum 1")
        assert typist.ends() == 0


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize("breaking", ["breakpoint()", "import pdb; pdb.set_trace()"])
def test_without_a_terminal_a_breakpoint_is_refused_in_words(
    laptop: Laptop, breaking: str, options: tuple[str, ...]
) -> None:
    played = laptop.run(flow_with(laptop, breaking), "--max-workers", "1", *options)
    assert played.code == 1
    assert "the step has no terminal" in played.out
    assert "--max-workers 1" in played.out
    assert "in b" in played.out


def test_with_more_workers_a_breakpoint_is_refused_on_a_terminal_too(laptop: Laptop) -> None:
    script = flow_with(laptop, "breakpoint()")
    with Typist(laptop, str(script), "run") as typist:
        typist.sees("the step has no terminal")
        assert typist.ends() == 1


def test_breakpoints_can_be_switched_off(laptop: Laptop) -> None:
    laptop.environ["PYTHONBREAKPOINT"] = "0"
    assert laptop.run(flow_with(laptop, "breakpoint()")).code == 0
