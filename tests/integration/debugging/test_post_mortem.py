"""`--pdb`: pdb opens where a step raises, in the user's frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.debugging.typist import Typist
from tests.integration.local.laptop import Laptop


@pytest.fixture
def script(laptop: Laptop) -> Path:
    return laptop.flow(
        "Parsing",
        """
        @step
        def start(self):
            self.text = os.environ.get("TEXT", "{broken")
            self.next(self.b)

        @step
        def b(self):
            import json
            near = 3000
            self.found = json.loads(self.text)
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )


@pytest.mark.parametrize("options", [(), ("--fresh-process",)])
def test_pdb_opens_at_the_users_line_though_a_library_raised(
    laptop: Laptop, script: Path, options: tuple[str, ...]
) -> None:
    with Typist(laptop, str(script), "run", "--pdb", *options) as typist:
        before = typist.sees("(Pdb) ")
        assert "JSONDecodeError" in before
        assert "-> self.found = json.loads(self.text)" in before
        typist.types("p near + 3")
        typist.sees("3003")
        typist.types("p self.text * 2")
        typist.sees("{broken{broken")
        typist.types("down")
        typist.sees("loads()")
        typist.types("q")
        typist.sees("Step b (task-id 0) failed.")
        assert typist.ends() == 1


def test_pdb_opens_in_a_resume(laptop: Laptop, script: Path) -> None:
    assert laptop.run(script).code == 1
    with Typist(laptop, str(script), "resume", "--pdb") as typist:
        typist.sees("(Pdb) ")
        typist.types("q")
        assert typist.ends() == 1
    assert laptop.cloned("Parsing", "2") == ["start/0"]


def test_pdb_stays_closed_where_nothing_fails(laptop: Laptop, script: Path) -> None:
    with Typist(laptop, str(script), "run", "--pdb", environ={"TEXT": "[]"}) as typist:
        typist.sees("Done!")
        assert typist.ends() == 0


def test_pdb_without_a_terminal_is_refused_before_anything_runs(laptop: Laptop, script: Path) -> None:
    played = laptop.run(script, "--pdb")
    assert played.code == 2
    assert "--pdb needs a terminal" in played.err
    assert laptop.files() == []


def test_the_full_traceback_has_reflows_own_frames_too(laptop: Laptop, script: Path) -> None:
    plain = laptop.run(script)
    assert "task/execute.py" not in plain.out
    full = laptop.run(script, "--full-traceback")
    assert "task/execute.py" in full.out
    assert "self.found = json.loads(self.text)" in full.out
