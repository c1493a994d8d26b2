"""Steps with `@pypi` run with their own packages and nothing else; what they make crosses to the others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

from reflow.environments.lock import from_json
from tests.integration.environments.conftest import Bench
from tests.integration.local.laptop import RUNTIME

FLOW = """
from reflow import FlowSpec, pypi, pypi_base, step
import os, sys


def seen(module):
    try:
        return __import__(module).VERSION
    except ImportError:
        return None


@pypi_base(packages={"alpha": "1.0", "gamma": ""})
class Packed(FlowSpec):
    @pypi(disabled=True)
    @step
    def start(self):
        self.outer = seen("decoy"), seen("alpha")
        self.next(self.based, self.own)

    @step
    def based(self):
        self.found = {name: seen(name) for name in ("alpha", "beta", "gamma", "decoy")}
        self.where = sys.prefix, os.environ["VIRTUAL_ENV"], sys.executable
        self.next(self.join)

    @pypi(packages={"alpha": ">=1.0,<2", "beta[more]": "1.0"})
    @step
    def own(self):
        import alpha, subprocess
        self.found = {name: seen(name) for name in ("alpha", "beta", "gamma", "decoy")}
        self.where = sys.prefix, os.environ["VIRTUAL_ENV"], sys.executable
        self.tool = subprocess.run(["beta-says"], check=False).returncode
        self.thing = alpha.Thing()
        self.next(self.join)

    @pypi(packages={"alpha": "1.1"})
    @step
    def join(self, inputs):
        self.thing = inputs.own.thing
        self.made_by = self.thing.made_by
        self.next(self.end)

    @pypi(disabled="True")
    @step
    def end(self):
        self.same = os.getppid()
        try:
            self.thing
        except Exception as error:
            self.why = str(error)


if __name__ == "__main__":
    Packed()
"""
TOLD = """
from reflow import Step, namespace
namespace(None)
own = Step("Packed/1/own")
print(own.environment_info["type"], own.task.environment_info["packages"]["alpha"])
print(Step("Packed/1/end").environment_info)
"""


def test_each_step_sees_its_own_packages_alone_and_a_second_run_makes_nothing(bench: Bench) -> None:
    script = bench.write("packed.py", FLOW)
    # Reflow is installed beside other packages, of which none is to be seen.
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(bench.tools / "outer")], check=True, timeout=60
    )
    outer = next((bench.tools / "outer").glob("lib/python*/site-packages"))
    shutil.copytree(RUNTIME / "reflow", outer / "reflow", ignore=shutil.ignore_patterns("__pycache__"))
    (outer / "decoy.py").write_text("VERSION = 'outer'\n")
    bench.python = str(bench.tools / "outer" / "bin" / "python")
    bench.environ["PYTHONPATH"] = ""

    first = bench.run(script)
    assert first.code == 0, first.all

    assert bench.value("Packed", "1", "start/0", "outer") == ("outer", None)
    based = bench.value("Packed", "1", "based/0", "found")
    assert based == {"alpha": "1.0", "beta": None, "gamma": "1.0", "decoy": None}
    own = bench.value("Packed", "1", "own/0", "found")
    assert own == {"alpha": "1.1", "beta": "1.0", "gamma": "1.0", "decoy": None}  # the step's over the flow's
    for step in ("based", "own"):
        prefix, venv, python = bench.value("Packed", "1", f"{step}/0", "where")
        assert prefix == venv
        assert prefix in [str(folder) for folder in bench.environments]
        assert python == f"{prefix}/bin/python"
    assert bench.value("Packed", "1", "own/0", "tool") != 127  # the environment's programs are on PATH
    # Artifacts cross where the package is there, and say what is missing where it isn't.
    assert bench.value("Packed", "1", "join/0", "made_by") == "1.1"
    assert "alpha" in bench.value("Packed", "1", "end/0", "why")

    kept = from_json(bench.manifest("Packed", "1").environments)
    assert set(kept) == {"based", "own", "join"}
    assert kept["own"].versions == {"alpha": "1.1", "beta": "1.0", "gamma": "1.0"}
    assert kept["own"].pins.count("--hash=sha256:") == 3
    assert str(bench.packages) not in json.dumps(bench.manifest("Packed", "1").environments)
    assert len(bench.environments) == 3
    assert "Making the environment of step own, once: alpha>=1.0,<2, beta[more]==1.0, gamma" in first.out
    assert first.out.index("Making the environment") < first.out.index("Workflow starting")

    dumped = bench.play(str(script), "dump", "1/own")
    words = "in an environment of its own (@pypi): alpha 1.1, beta 1.0, gamma 1.0, Python 3."
    assert words in dumped.out, dumped.all
    told = bench.play("-c", TOLD)
    assert told.out.split() == ["pypi", "1.1", "None"], told.all

    bench.forget_calls()
    second = bench.run(script, "--environment=pypi")
    assert second.code == 0, second.all
    assert bench.calls == []
    assert "Making" not in second.all
    assert bench.manifest("Packed", "2").environments == bench.manifest("Packed", "1").environments


def test_a_script_for_metaflow_has_its_environments_too(bench: Bench) -> None:
    script = bench.write(
        "theirs.py",
        """
        from metaflow import FlowSpec, conda, conda_base, pypi, pypi_base, step

        @conda_base(disabled=True)
        class Theirs(FlowSpec):
            @conda(packages={"nothing": "1"})
            @step
            def start(self):
                self.next(self.end)

            @conda(disabled=False)
            @pypi(packages={"alpha": ">1,<2"})
            @step
            def end(self):
                import alpha
                self.version = alpha.VERSION

        if __name__ == "__main__":
            Theirs()
        """,
    )
    played = bench.reflow("run", str(script), "--environment", "pypi")
    assert played.code == 0, played.all
    assert bench.value("Theirs", "1", "end/0", "version") == "1.1"


def test_every_step_gets_what_is_added_on_the_command_line(bench: Bench) -> None:
    script = bench.flow(
        "Plain",
        """
        @step
        def start(self):
            import alpha
            self.xs = [alpha.VERSION] * 3
            self.next(self.body, foreach="xs")

        @step
        def body(self):
            import alpha
            self.same = alpha.VERSION == self.input
            self.next(self.join)

        @step
        def join(self, inputs):
            self.all = [one.same for one in inputs]
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = bench.run(script, "--with", 'pypi:packages={"alpha":"1.1"}')
    assert played.code == 0, played.all
    assert bench.value("Plain", "1", "join/0", "all") == [True] * 3
    assert len(bench.environments) == 1
