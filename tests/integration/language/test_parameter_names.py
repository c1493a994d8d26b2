"""Parameters that are named as options of Metaflow's and of ours are, from the command line and from a Runner."""

from __future__ import annotations

from reflow.runner import Runner
from tests.integration.local.laptop import Laptop
from tests.unit.cli.test_parameter_names import NAMES

FLOW = (
    "\n".join(f"    {name.replace('-', '_')} = Parameter({name!r}, default='')" for name in NAMES)
    + """
    xs = Parameter("x-s", multiple=True)
    ys = Parameter("ys", type=int, multiple=True)
    alpha = Parameter("alpha", default=1.0)
    on = Parameter("on", default=False)

    @step
    def start(self):
        names = [name for name in dir(type(self)) if isinstance(getattr(type(self), name), Parameter)]
        self.seen = {name: getattr(self, name) for name in names}
        self.next(self.end)

    @step
    def end(self):
        print("branch", current.branch_name)
"""
)
VALUES = {name.replace("-", "_"): f"-{name}" for name in NAMES}


def named(laptop: Laptop) -> str:
    script = laptop.flow("Named", FLOW)
    script.write_text(script.read_text().replace("\nclass Named", '\n@project(name="shop")\nclass Named'))
    return script.name


def test_parameters_are_named_as_options_before_the_command_are(laptop: Laptop) -> None:
    script = named(laptop)
    words = [word for name in NAMES for word in (f"--{name}", f"-{name}")]
    top = ("--quiet", "--environment", "local", "--metadata=local", "--datastore", "local", "--branch", "b1")
    played = laptop.play(script, *top, "--no-pylint", "run", *words, "--alpha", "-1e-3", "--x-s", "-a")
    assert played.code == 0, played.all
    assert "branch test.b1" in played.said
    assert played.err == "", "--quiet"
    seen = laptop.value("Named", "1", "start/0", "seen")
    assert seen == {**VALUES, "alpha": -0.001, "on": False, "xs": ["-a"], "ys": None}
    played = laptop.play(script, "spin", "start", "--persist", "-no")
    assert played.code == 0, played.all


def test_a_runner_gives_parameters_their_values_whatever_they_are_named(laptop: Laptop) -> None:
    script = named(laptop)
    options = {"env": {**laptop._environment()}, "cwd": laptop.folder, "show_output": False}
    with Runner(laptop.folder / script, environment="local", branch="b2", quiet=True, **options) as runner:
        result = runner.run(x_s=["a", "-b"], ys=(1, 2), alpha=-2e-3, on=True, max_workers=1, **VALUES)
        assert result.status == "successful", result.stderr
        assert "branch test.b2" in result.stdout
        assert result.stderr == ""
    seen = laptop.value("Named", "1", "start/0", "seen")
    assert seen == {**VALUES, "alpha": -0.002, "on": True, "xs": ["a", "-b"], "ys": [1, 2]}
