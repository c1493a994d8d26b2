"""Flows that begin and end with steps of other names, run, resumed and read."""

from __future__ import annotations

from tests.integration.local.laptop import Laptop
from tests.unit.graph.test_ends import ALONE, NAMED


def test_a_flow_with_ends_of_other_names_runs_and_is_resumed_and_read(each_way: Laptop) -> None:
    script = each_way.write("named.py", NAMED.replace("        pass\n", "        self.total = 1 / 0\n"))
    assert each_way.run(script).code == 1
    each_way.write("named.py", NAMED.replace("        pass\n", "        self.total = 7\n"))
    resumed = each_way.resume(script)
    assert resumed.code == 0, resumed.all
    assert each_way.cloned("Named", "2") == ["begin/0", "left/0", "meet/0", "right/0"]
    read = """
from reflow import Run, namespace
namespace(None)
run = Run("Named/2")
print(run.finished, run.data.total, run.end_task.id, [s.id for s in run][::-1], list(run["begin"].parent_steps))
"""
    told = each_way.play("-c", read)
    assert told.out == "True 7 0 ['begin', 'left', 'right', 'meet', 'finish'] []\n", told.all
    assert each_way.play(str(script), "show").out.index("Step begin") < each_way.play(
        str(script), "show"
    ).out.index("Step finish")


def test_a_flow_of_one_step_begins_and_ends_with_it(each_way: Laptop) -> None:
    script = each_way.write("alone.py", ALONE.replace("pass\n", "self.x = 42\n", 1))
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert each_way.value("Alone", "1", "only/0", "x") == 42
