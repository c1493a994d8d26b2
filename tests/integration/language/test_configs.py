"""What a `Config` may be, and where its values may stand."""

from __future__ import annotations

import json

import pytest

from tests.integration.local.laptop import Laptop

BAKERY = """
import json, os
from reflow import Config, FlowSpec, Parameter, config_expr, environment, project, resources, step

def words(text):
    return text.split()

def pair(text):
    found = json.loads(text)
    return found["left"], found["right"]

def name_of(oven):
    return oven.site.name

OVEN = {"site": {"name": "north"}, "sizes": [1, {"deep": 2}], "needs": {"cpu": 2}, "with": {"vars": {"SPREAD": "jam"}}}

@project(name=config_expr("name_of(oven)"))
class Bakery(FlowSpec):
    oven = Config("oven", default_value=OVEN)
    dashed = Config("bread-and_butter", default_value={"salt": "some"})
    note = Config("note", default_value="just text", plain=True)
    list_of = Config("list-of", default_value="rye oat", parser=words, plain=True)
    pair_of = Config("pair-of", default_value='{"left": 1, "right": 2}', parser=pair, plain=True)
    none = Config("none", default_value=None)
    made = Config("made", default_value=lambda context: {"by": context.user_name})
    size = Parameter("size", default=oven.sizes, type=None, help=config_expr("oven.site.name"))

    @resources(**oven.needs)
    @environment(vars={"PLACE": oven.site.name, "SALT": dashed.salt, "UPPER": config_expr("note.upper()")})
    @step
    def start(self):
        self.seen = [os.environ["PLACE"], os.environ["SALT"], os.environ["UPPER"], self.made.by]
        self.kinds = (self.note, self.list_of, self.pair_of, self.none)
        self.text = json.dumps(self.oven)
        self.same = self.oven == OVEN and isinstance(self.oven, dict) and dict(self.dashed) == {"salt": "some"}
        self.refused = []
        oven = self.oven
        for change in (lambda: setattr(oven, "x", 1), lambda: oven.update(x=1), lambda: oven.site.pop("name")):
            try:
                change()
            except TypeError:
                self.refused.append(True)
        self.next(self.end)

    @environment(**config_expr("oven")["with"])
    @step
    def end(self):
        self.spread = os.environ["SPREAD"]
        self.still = self.pair_of

if __name__ == "__main__":
    Bakery()
"""


def test_configurations_of_all_kinds_stand_in_decorators_parameters_and_steps(each_way: Laptop) -> None:
    script = each_way.write("bakery.py", BAKERY)
    played = each_way.run(script)
    assert played.code == 0, played.all
    oven = {
        "site": {"name": "north"},
        "sizes": [1, {"deep": 2}],
        "needs": {"cpu": 2},
        "with": {"vars": {"SPREAD": "jam"}},
    }

    def value(name: str, task: str = "start/0") -> object:
        return each_way.value("Bakery", "1", task, name)

    assert value("seen") == ["north", "some", "JUST TEXT", "tester"]
    assert value("kinds") == ("just text", ["rye", "oat"], (1, 2), None)
    assert json.loads(str(value("text"))) == oven
    assert (value("same"), value("refused")) == (True, [True] * 3)
    assert (value("spread", "end/0"), value("still", "end/0")) == ("jam", (1, 2))
    assert (type(value("oven")), value("oven"), value("pair_of")) == (dict, oven, (1, 2))
    manifest = each_way.manifest("Bakery", "1")
    assert manifest.project["project_name"] == "north"
    assert {d.name: d.attributes for d in manifest.graph.steps["start"].decorators}["resources"] == {"cpu": 2}


@pytest.mark.parametrize("text", ["[]", "123", '"text"', "true"])
def test_a_configuration_that_is_no_object_is_refused_where_it_is_not_plain(
    laptop: Laptop, text: str
) -> None:
    script = laptop.write("bakery.py", BAKERY)
    played = laptop.run(script, "--config-value", "oven", text)
    assert played.code == 2
    assert f"oven must be a mapping (got type {type(json.loads(text))})" in played.err


def test_an_expression_that_fails_is_told_with_what_it_is_for(laptop: Laptop) -> None:
    script = laptop.write(
        "bakery.py", BAKERY.replace('config_expr("note.upper()")', 'config_expr("nobody()")')
    )
    played = laptop.run(script)
    assert played.code == 1
    assert "@environment(vars=…): config_expr('nobody()') can't be worked out: NameError" in played.err


OF_A_FILE = """
import os
from reflow import Config, FlowSpec, Parameter, StepMutator, config_expr, step

class Marked(StepMutator):
    def init(self, **given):
        self.mark = given["mark"]

    def mutate(self, step):
        step.add_decorator("environment", deco_kwargs={"vars": {"MUTATED": str(self.mark)}})

class Oven(FlowSpec):
    cfg = Config("cfg", default="heat.json")
    heat = Parameter("heat", default=config_expr("cfg.heat"), type=int)

    @step
    def start(self):
        self.next(self.bake)

    @Marked(mark=config_expr("cfg.heat"))
    @step
    def bake(self):
        self.found = [self.cfg.heat, self.heat, os.environ["MUTATED"]]
        print("found", self.found)
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Oven()
"""


def test_a_spin_has_the_configurations_of_the_run_that_its_inputs_are_of(each_way: Laptop) -> None:
    script = each_way.write("oven.py", OF_A_FILE)
    heat = each_way.write("heat.json", '{"heat": 1}')
    assert each_way.run(script).code == 0
    heat.write_text('{"heat": 2}')
    assert each_way.run(script).code == 0
    heat.unlink()
    spun = each_way.play(str(script), "spin", "1/bake", *each_way.mode)
    assert (spun.code, "found [1, 1, '1']" in spun.said) == (0, True), spun.all
    assert each_way.manifest("Oven", "spin-1").configs == {"cfg": {"heat": 1}}
    changed = each_way.play(str(script), "spin", "2/bake/0", "--heat", "7", *each_way.mode)
    assert "found [2, 7, '2']" in changed.said, changed.all


@pytest.mark.parametrize("command", ["resume", "spin", "debug"])
def test_what_takes_the_configurations_of_a_run_takes_no_others(laptop: Laptop, command: str) -> None:
    script = laptop.write("oven.py", OF_A_FILE)
    refused = laptop.play(str(script), "--config-value", "cfg", '{"heat": 3}', command, "bake")
    assert refused.code == 2
    assert f"--config and --config-value can't be set on {command}:" in refused.err


REQUIRED = """
from reflow import Config, FlowSpec, Parameter, card, config_expr, step

class Needing(FlowSpec):
    cfg = Config("cfg", required=True)
    many = Parameter("many", default=config_expr("cfg.k"), help=config_expr("cfg.what"), required=config_expr("True"))

    @card
    @step(start=True)
    def start(self):
        self.k = self.cfg.k
        print("k is", self.k)

if __name__ == "__main__":
    Needing()
"""


def test_commands_that_look_at_no_graph_need_no_configuration(laptop: Laptop) -> None:
    script = laptop.write("needing.py", REQUIRED)
    assert laptop.run(script, "--config-value", "cfg", '{"k": 4, "what": "how many"}').code == 0
    for command, said in (
        ("list", "succeeded"),
        ("logs start", "k is 4"),
        ("dump start", "k = 4"),
        ("card list start", "default"),
        ("tag add late --run-id 1", ""),
        ("tag list", "late"),
        ("gc", ""),
        ("version", ""),
        ("--quiet list", "succeeded"),
        ("spin start", "k is 4"),
        ("spin --help", "--many VALUE"),
        ("run --help", "--many VALUE"),
        ("--help", "output-dot"),
        ("", "output-dot"),
    ):
        played = laptop.play(str(script), *command.split())
        assert (played.code, said in played.out) == (0, True), (command, played.all)
    for command in ("show", "check", "output-dot", "run"):
        played = laptop.play(str(script), command)
        assert (played.code, "cfg is required" in played.err) == (2, True), command
        assert "Traceback" not in played.err


GROWN = """
import os
from reflow import Config, FlowSpec, config_expr, environment, step

class Grown(FlowSpec):
    old = Config("old", default="old.json")
    #more = Config("more", default_value={"z": 9})
    #
    @step
    def start(self):
        self.next(self.end)

    #@environment(vars={"Z": config_expr("str(more.z)")})
    @step
    def end(self):
        #print("found", self.old.k, self.more.z, os.environ["Z"])
        assert os.path.exists("fixed")

if __name__ == "__main__":
    Grown()
"""


@pytest.mark.parametrize("had_some", [True, False])
def test_a_configuration_that_a_run_had_not_gets_its_default_in_what_takes_it_up(
    each_way: Laptop, had_some: bool
) -> None:
    source = GROWN if had_some else GROWN.replace("old = Config", "#old = Config")
    script = each_way.write("grown.py", source)
    old = each_way.write("old.json", '{"k": 1}')
    assert each_way.run(script).code == 1
    if had_some:
        old.unlink()  # its value is the run's
    else:
        old.write_text('{"k": 5}')
    script.write_text(script.read_text().replace("#", ""))
    k = 1 if had_some else 5
    for command in ("spin", "resume"):
        played = each_way.play(str(script), command, "end", *each_way.mode)
        assert f"found {k} 9 9" in played.said, played.all
    assert each_way.manifest("Grown", "2").configs == {"old": {"k": k}, "more": {"z": 9}}
    each_way.write("fixed", "")
    again = each_way.resume(script)
    assert (again.code, f"found {k} 9 9" in again.said) == (0, True), again.all
