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
