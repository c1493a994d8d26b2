"""Decorators of steps and flows in real runs: secrets, projects, exit hooks, and those that users write."""

from __future__ import annotations

from tests.integration.local.laptop import Laptop

SECRETS = """
    @secrets(sources=["env:DB_PASSWORD", "file:more.env", "kubernetes:db"])
    @environment(vars={"PLAIN": 7})
    @step
    def start(self):
        token_of_mine, plain = "abc", os.environ["PLAIN"]
        here = os.environ["DB_PASSWORD"]
        sys.stdout.write("it is hun"); sys.stdout.flush()
        print("ter2 and", os.environ["TOKEN"], os.environ["user"])
        raise ValueError("no entry for " + here)
        self.next(self.end)

    @step
    def end(self):
        pass
    """


def test_secrets_are_in_the_environment_and_shown_nowhere(each_way: Laptop) -> None:
    script = each_way.flow("Secret", SECRETS)
    each_way.write("more.env", "# a comment\nexport TOKEN='t0kent0ken'\n")
    each_way.write("secrets/db/user", "someone-secret")
    each_way.environ = {"DB_PASSWORD": "hunter2", "REFLOW_SECRETS": "secrets"}
    played = each_way.run(script)
    assert played.code == 1
    assert "it is *** and *** ***" in played.said
    failure = each_way.store("Secret").failures("1", each_way.store("Secret").index("1")[0].key)[0]
    assert failure.exception is not None
    assert failure.exception.message == "no entry for ***"
    assert failure.exception.locals["token_of_mine"] == "<hidden>"
    assert failure.exception.locals["here"] == "'***'"
    assert failure.exception.locals["plain"] == "'7'"
    kept = b"".join(frame.data for frame in each_way.store("Secret").log("1", failure))
    for secret in ("hunter2", "t0kent0ken", "someone-secret"):
        assert secret not in played.all
        assert secret.encode() not in kept


def test_a_secret_that_is_not_there_fails_the_step_with_what_to_do(laptop: Laptop) -> None:
    script = laptop.flow("Secret", SECRETS)
    played = laptop.run(script)
    assert played.code == 1
    assert "the environment has no variable DB_PASSWORD" in played.all


PROJECT = """
from reflow import FlowSpec, current, exit_hook, kubernetes, project, step

def told(run):
    print("hook", run.pathspec, run.successful)

def alarm():
    print("alarm")

@project(name="shop")
@exit_hook(on_success=[told], on_error=[alarm])
class Shop(FlowSpec):
    @kubernetes(cpu=2)
    @step
    def start(self):
        print("seen", current.project_name, current.branch_name, current.is_production, current.is_user_branch,
              current.project_flow_name, current.run.pathspec, current.task.pathspec, "branch_name" in current)
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Shop()
"""


def test_a_project_has_branches_and_its_runs_their_tags(each_way: Laptop) -> None:
    script = each_way.write("shop.py", PROJECT)
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "seen shop user.tester False True shop.user.tester.Shop Shop/1 Shop/1/start/0 True" in played.said
    assert "hook Shop/1 True" in played.out
    assert "although this step asks for a cluster: start (@kubernetes)" in played.err
    assert "seen shop test.b False False shop.test.b.Shop" in "\n".join(
        each_way.run(script, "--branch", "b").said
    )
    assert "seen shop prod True False shop.prod.Shop" in "\n".join(each_way.run(script, "--production").said)
    assert each_way.manifest("Shop", "3").project["branch_name"] == "prod"


def test_an_exit_hook_is_called_where_the_run_failed(laptop: Laptop) -> None:
    script = laptop.write("shop.py", PROJECT.replace("        pass", "        1 / 0"))
    played = laptop.run(script)
    assert (played.code, "alarm" in played.out, "hook" in played.out) == (1, True, False)


WRITTEN = """
from reflow import (
    Config, FlowMutator, FlowSpec, Parameter, StepMutator, UserStepDecorator, current, environment, retry, step,
    user_step_decorator,
)

@user_step_decorator
def timed(step_name, flow, inputs=None, attributes=None):
    print("before", step_name, attributes)
    flow.stamp = step_name
    yield
    print("after", step_name)

@user_step_decorator
def swallow(step_name, flow):
    try:
        yield
    except ZeroDivisionError as error:
        print("swallowed", error)

class Skip(UserStepDecorator):
    def init(self, value=0):
        self.value = value

    def pre_step(self, step_name, flow, inputs=None):
        flow.x = self.value
        self.skip_step = True

class Tries(StepMutator):
    def init(self, times):
        self.times = times

    def mutate(self, mutable_step):
        mutable_step.add_decorator(retry, deco_kwargs={"times": self.times, "minutes_between_retries": 0})
        mutable_step.add_decorator("environment", deco_kwargs={"vars": {"MUTATED": "yes"}})

class Everywhere(FlowMutator):
    def pre_mutate(self, mutable_flow):
        cfg = dict(mutable_flow.configs)["cfg"]
        mutable_flow.add_parameter("added", Parameter("added", default=cfg.n))

    def mutate(self, mutable_flow):
        for name, one in mutable_flow.steps:
            if name != "start":
                one.add_decorator(timed, deco_kwargs={"by": "mutator"})

@Everywhere
class Written(FlowSpec):
    cfg = Config("cfg", default_value={"n": 5})

    @timed
    @swallow
    @step
    def start(self):
        self.y = 1
        1 / 0
        self.next(self.skipped)

    @Skip(value=3)
    @step
    def skipped(self):
        raise RuntimeError("never run")
        self.next(self.fails)

    @Tries(2)
    @step
    def fails(self):
        import os
        print("try", current.retry_count, os.environ["MUTATED"])
        if current.retry_count < 2:
            raise ValueError("again")
        self.next(self.end)

    @step
    def end(self):
        print("seen", self.x, self.y, self.stamp, self.added)

if __name__ == "__main__":
    Written()
"""


def test_decorators_and_mutators_that_users_write_work_in_every_task(each_way: Laptop) -> None:
    script = each_way.write("written.py", WRITTEN)
    played = each_way.run(script, "--added", "6")
    assert played.code == 0, played.all
    said = [
        line
        for line in played.said
        if line.partition(" ")[0] in ("before", "after", "swallowed", "try", "seen")
    ]
    assert said == [
        "before start {}",
        "swallowed division by zero",
        "after start",
        "before skipped {'by': 'mutator'}",
        "after skipped",
        "before fails {'by': 'mutator'}",
        "try 0 yes",
        "before fails {'by': 'mutator'}",
        "try 1 yes",
        "before fails {'by': 'mutator'}",
        "try 2 yes",
        "after fails",
        "before end {'by': 'mutator'}",
        "seen 3 1 end 6",
        "after end",
    ]


def test_a_users_decorator_that_never_yields_is_told_in_words(laptop: Laptop) -> None:
    source = WRITTEN.replace('print("before", step_name, attributes)', "if step_name == 'skipped': return")
    played = laptop.run(laptop.write("written.py", source))
    assert played.code == 1
    assert "FlowError: written.py:" in played.all
    assert "@timed ended before its yield at step 'skipped'" in played.all
    assert "StopIteration" not in played.all
    assert "runtime/reflow" not in played.all


def test_a_users_decorator_is_added_to_all_steps_from_the_command_line(each_way: Laptop) -> None:
    source = """
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
    """
    each_way.write(
        "mine.py",
        """
        from reflow import user_step_decorator

        @user_step_decorator
        def loud(step_name, flow, inputs=None, attributes=None):
            yield
            print("LOUD", step_name, attributes)
        """,
    )
    script = each_way.flow("Plain", source)
    played = each_way.run(script, "--with", "mine.loud:by=me")
    assert played.code == 0, played.all
    assert "LOUD start {'by': 'me'}" in played.said
    assert "LOUD end {'by': 'me'}" in played.said
