"""Decorators and mutators that users write: what they add to one another, and around which code they run."""

from __future__ import annotations

from tests.integration.local.laptop import Laptop

ORCHARD = '''
import os
from reflow import (
    USER_SKIP_STEP, Config, FlowMutator, FlowSpec, Parameter, StepMutator, UserStepDecorator, config_expr, current,
    environment, retry, step, user_step_decorator,
)
from reflow.values.errors import ReflowError as MetaflowException

def told(mutable, text):
    for name, full, unnamed, named in mutable.get_decorator_specs("environment"):
        named["vars"][text] = text
        mutable.add_decorator(environment, deco_kwargs=named, duplicates=mutable.OVERRIDE)

class Graft(StepMutator):
    """Added by text, by another mutator."""
    def init(self, onto="nothing"):
        self.onto = onto
    def pre_mutate(self, mutable_step):
        added = mutable_step.add_decorator("environment", deco_kwargs={"vars": {"ONTO": self.onto}})
        Graft.added = added.name, added.attributes["vars"]
        Graft.again = mutable_step.add_decorator(environment, deco_kwargs={"vars": {"NEVER": "1"}})

class Season(FlowMutator):
    """Added by the other one, and takes part at once."""
    def init(self, name="none"):
        self.name = name
    def pre_mutate(self, mutable_flow):
        mutable_flow.pick.add_decorator(environment, deco_kwargs={"vars": {"SEASON": self.name}})
    def mutate(self, mutable_flow):
        told(mutable_flow.pick, "MUTATED")
        self.refused = []
        for late in (
            lambda: mutable_flow.add_parameter("late", Parameter("late", default=1)),
            lambda: mutable_flow.add_decorator(Season),
            lambda: mutable_flow.pick.add_decorator(Graft),
            lambda: mutable_flow.pick.remove_decorator("Ladder"),
        ):
            try:
                late()
            except MetaflowException as error:
                self.refused.append("pre_mutate" in str(error))
        Season.late = self.refused

class Plan(FlowMutator):
    def init(self, *keys, word=""):
        self.keys, self.word = keys, word
    def pre_mutate(self, mutable_flow):
        for tree in mutable_flow.settings[self.keys[0]]:
            mutable_flow.add_parameter(tree, Parameter(tree, type=str, default=self.word), overwrite=True)
        mutable_flow.add_decorator("Season:name=autumn")
        mutable_flow.wash.add_decorator("Graft", deco_kwargs={"onto": "plum"})
        mutable_flow.wash.add_decorator(retry, deco_kwargs={"times": 0})
        Plan.specs = sorted(name for name, *_ in mutable_flow.decorator_specs)
        Plan.has = [mutable_flow.pick.has_decorator("Ladder"), mutable_flow.has_decorator("Nobody")]

class Ladder(UserStepDecorator, StepMutator):
    """Both: it changes the step, and runs around it."""
    def init(self, rungs=0):
        self.rungs = rungs
    def mutate(self, mutable_step):
        told(mutable_step, f"RUNGS{self.rungs}")
    def pre_step(self, step_name, flow, inputs=None):
        flow._up = step_name
    def post_step(self, step_name, flow, exception=None):
        flow.down = True
        return (exception, None) if exception else (None, {})

class Quiet(UserStepDecorator):
    def post_step(self, step_name, flow, exception=None):
        return None, False

@user_step_decorator
def skipped(step_name, flow, inputs):
    flow.left_out = step_name
    yield USER_SKIP_STEP

@user_step_decorator
def instead(step_name, flow, inputs, attributes):
    def other(flow):
        flow.basket = [attributes["fruit"]] * 2
        return {"foreach": "basket"}
    yield other

@user_step_decorator
def swallows(step_name, flow, inputs):
    try:
        yield
    except ValueError as error:
        flow.swallowed = str(error)

@Plan("trees", word=config_expr("settings.word"))
class Orchard(FlowSpec):
    settings = Config("settings", default_value={"trees": ["plum", "pear"], "word": "ripe", "fruit": "fig"})

    @Ladder(rungs=config_expr("len(settings.word)"))
    @step
    def pick(self):
        self.seen = [os.environ.get(name) for name in ("SEASON", "MUTATED", "RUNGS4")]
        self.up = self._up
        self.told = Plan.specs, Plan.has, Season.late
        self.next(self.wash)

    @Quiet
    @step
    def wash(self):
        self.kinds = self.plum, self.pear
        self.grafted = os.environ["ONTO"], "NEVER" in os.environ, Graft.added, Graft.again
        self.next(self.dry)

    @skipped
    @step
    def dry(self):
        self.dried = True
        self.next(self.sort)

    @instead(fruit=config_expr("settings.fruit"))
    @step
    def sort(self):
        self.basket = []
        self.next(self.cut, foreach="basket")

    @swallows
    @step
    def cut(self):
        raise ValueError(f"hard {self.input}")
        self.next(self.cook)

    @step
    def cook(self, inputs):
        self.pot = [one.swallowed for one in inputs]
        self.rest = inputs[0].left_out, hasattr(inputs[0], "dried"), inputs[0].down
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Orchard()
'''.replace("def pick(", "def start(").replace("mutable_flow.pick", "mutable_flow.start")


def test_mutators_add_one_another_and_decorators_run_around_steps(each_way: Laptop) -> None:
    script = each_way.write("orchard.py", ORCHARD)
    played = each_way.run(script, "--pear", "green")
    assert played.code == 0, played.all

    def value(task: str, name: str) -> object:
        return each_way.value("Orchard", "1", task, name)

    assert value("start/0", "seen") == ["autumn", "MUTATED", "RUNGS4"]
    assert value("start/0", "up") == "start"
    assert value("start/0", "told") == (["Plan", "Season"], [True, False], [True] * 4)
    assert value("wash/0", "kinds") == ("ripe", "green")
    assert value("wash/0", "grafted") == ("plum", False, ("environment", {"ONTO": "plum"}), None)
    assert value("cook/0", "pot") == ["hard fig", "hard fig"]
    assert value("cook/0", "rest") == ("dry", False, True)


def test_attributes_that_a_decorator_does_not_take_are_told_with_its_name(laptop: Laptop) -> None:
    script = laptop.write("orchard.py", ORCHARD.replace("@Quiet\n", "@Quiet(much=True)\n"))
    played = laptop.run(script)
    assert played.code == 1
    assert "@Quiet takes no attributes" in played.err
