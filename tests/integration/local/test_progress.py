"""A wide foreach: one line that moves on a terminal, the plain lines of each task elsewhere."""

from __future__ import annotations

import re

import pytest

from tests.integration.debugging.typist import Typist
from tests.integration.local.laptop import Laptop

CLEAR = "\r\x1b[2K"
WIDE = """
    @step
    def start(self):
        self.parts = list(range(40))
        self.next(self.work, foreach="parts")

    @step
    def work(self):
        if self.input == 7:
            print("seven")
        if self.input == 30 and os.path.exists("broken"):
            while not os.path.exists("seen"):
                time.sleep(0.01)
            raise ValueError("thirty")
        self.next(self.join)

    @step
    def join(self, inputs):
        print("joined", len(inputs))
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def lines_left(raw: str) -> list[str]:
    """What stays on the screen: a line that was cleared is gone."""
    return [line.rsplit(CLEAR, 1)[-1].rstrip("\r") for line in raw.split("\n")]


def moving(raw: str) -> list[str]:
    """Each state of the moving line."""
    return re.findall(r"work: [^\r\n\x1b]*", raw)


def test_on_a_terminal_a_wide_foreach_is_one_line_that_moves(laptop: Laptop) -> None:
    laptop.flow("Wide", WIDE)
    (laptop.folder / "broken").touch()
    with Typist(laptop, "wide.py", "run") as typist:
        typist.sees("work: ")
        typist.resizes(30)
        typist.sees("work: 39 of 40 done, 1 runnin")
        typist.resizes(60)
        typist.sees("work: 39 of 40 done, 1 running, 0:0")
        (laptop.folder / "seen").touch()
        assert typist.ends() == 1
    left = lines_left(typist.raw)
    assert [line for line in left if line.startswith("work: ")] == []
    tasks = [line[24:] for line in left if "/work/" in line and "(pid " in line]
    assert any(re.fullmatch(r"\[1/work/7 \(pid \d+\)\] seven", line) for line in tasks)
    assert any(line.endswith("] ValueError: thirty") for line in tasks)
    assert any(line.endswith("] Task failed.") for line in tasks)
    assert not any("Task is starting" in line or "finished successfully" in line for line in tasks)
    assert all(re.match(r"\d{4}-\d\d-\d\d ", line) for line in left if "(pid " in line)
    assert left[-2].strip() == "Step work (task-id 30) failed."
    states = moving(typist.raw)
    assert states
    assert all(state.startswith("work: ") for state in states)
    assert any(len(state) == 29 for state in states)
    (laptop.folder / "broken").unlink()
    with Typist(laptop, "wide.py", "resume") as typist:
        assert typist.ends() == 0
    assert any(
        re.search(r"\[2/work\] \d+ tasks? finished in 0:\d\d\.", line) for line in lines_left(typist.raw)
    )
    assert any(line.endswith("] joined 40") for line in lines_left(typist.raw))


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"CI": "true"}], ids=["dumb", "CI"])
def test_where_no_line_can_move_all_are_plain(laptop: Laptop, environ: dict[str, str]) -> None:
    laptop.flow("Wide", WIDE)
    with Typist(laptop, "wide.py", "run", environ=environ) as typist:
        assert typist.ends() == 0
    assert "\x1b" not in typist.raw
    assert typist.raw.count("] Task is starting.") == 43


def test_piped_output_has_two_plain_lines_of_each_task(laptop: Laptop) -> None:
    laptop.flow("Wide", WIDE)
    played = laptop.run("wide.py")
    assert played.said.count("Task is starting.") == 43
    assert played.said.count("Task finished successfully.") == 43
    assert "\x1b" not in played.all
    assert "\r" not in played.all


def test_ctrl_c_leaves_no_half_line_behind(laptop: Laptop) -> None:
    laptop.flow("Wide", WIDE)
    (laptop.folder / "broken").touch()
    with Typist(laptop, "wide.py", "run") as typist:
        typist.sees("work: 39 of 40 done")
        typist.types("Ctrl-C")
        assert typist.ends() == 1
    left = lines_left(typist.raw)
    assert not any(line.startswith("work: ") for line in left)
    assert any(line.startswith("    The run was stopped: by Ctrl-C.") for line in left)


def test_a_debugger_in_a_wide_foreach_has_the_terminal_to_itself(laptop: Laptop) -> None:
    breaking = "breakpoint(); print('one')\n            print('seven')"
    laptop.flow("Wide", WIDE.replace('print("seven")', breaking))
    with Typist(laptop, "wide.py", "run", "--max-workers", "1") as typist:
        typist.sees("(Pdb) ")
        opened = len(typist.raw)
        typist.types("import time; time.sleep(0.7); self.index")
        typist.sees("7\r\n(Pdb) ")
        assert "work: " not in typist.raw[opened:]
        typist.types("s")  # over print, and not into how we print
        typist.sees("seven")
        typist.sees("(Pdb) ")
        typist.types("c")
        assert typist.ends() == 0
    assert any(line.endswith("] joined 40") for line in lines_left(typist.raw))
