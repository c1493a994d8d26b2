"""A failure's last lines: what to type next, and the failed step."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.integration.debugging.typist import Typist
from tests.integration.local.laptop import Laptop


@pytest.fixture
def script(laptop: Laptop) -> Path:
    return laptop.flow(
        "Failing",
        """
        @step
        def start(self):
            self.next(self.end)

        @step
        def end(self):
            raise ValueError("no")
        """,
    )


def offered(err: str, what: str) -> str:
    line = next(line for line in err.splitlines() if what in line)
    return line.rpartition("  ")[2].rpartition(": ")[2].strip()


def test_a_failure_names_what_to_type_next_and_then_the_step(laptop: Laptop, script: Path) -> None:
    err = laptop.play(script.name, "run").err
    assert offered(err, "look into it") == "python failing.py debug 1/end/0"
    assert offered(err, "go on") == "python failing.py resume"
    assert err.splitlines()[-2:] == ["    Step failure:", "    Step end (task-id 0) failed."]


def test_it_names_the_store_and_reflow_where_they_were_used(laptop: Laptop, script: Path) -> None:
    err = laptop.reflow("run", script.name, "--store", "else where").err
    assert offered(err, "go on") == "reflow resume failing.py --store 'else where'"


def test_what_it_offers_works(laptop: Laptop, script: Path) -> None:
    offer = offered(laptop.play(script.name, "run", "--store", "there").err, "look into it")
    with Typist(laptop, *shlex.split(offer)[1:]) as typist:
        typist.sees('-> raise ValueError("no")')
        typist.types("q")
        assert typist.ends() == 1, typist.screen


def test_python_i_is_left_at_its_prompt_without_a_traceback_of_its_exit(laptop: Laptop) -> None:
    script = laptop.flow(
        "Fine", "@step\ndef start(self):\n    self.next(self.end)\n\n@step\ndef end(self):\n    pass\n"
    )
    with Typist(laptop, "-i", str(script), "run") as typist:
        typist.sees(">>> ")
        assert "Traceback" not in typist.screen
        typist.types("print(6 * 7, __name__)")
        typist.sees("42 __main__")
        typist.sees(">>> ")
        typist.types("Ctrl-D")
        assert typist.ends() == 0
