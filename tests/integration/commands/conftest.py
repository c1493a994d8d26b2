"""A folder in which a flow has failed and been resumed, as real processes left it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.local.laptop import Laptop

ADDING = '''
"""Adds numbers."""
alpha = Parameter("alpha", default=3, help="how much")

@step
def start(self):
    """Begin."""
    self.secret_path, self._hidden = "p", 1
    self.big = list(range(100_000))
    self.parts = [1, 2, 3]
    print("hello")
    print("careful", file=sys.stderr)
    self.next(self.add, foreach="parts")

@retry(times=1, minutes_between_retries=0)
@step
def add(self):
    print(f"adding {self.input}, attempt {current.retry_count}")
    self.total = self.input + (int("2fail") if os.path.exists("broken") and self.index == 1 else self.alpha)
    self.next(self.join)

@step
def join(self, inputs):
    self.total = sum(i.total for i in inputs)
    self.next(self.end)

@step
def end(self):
    print("total is", self.total)
'''


@pytest.fixture(scope="module")
def adding(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """Run 1 of AddFlow failed in add/1, run 2 resumed it and succeeded. Tests only read it."""
    laptop = Laptop(tmp_path_factory.mktemp("adding"))
    laptop.flow("AddFlow", ADDING)
    (laptop.folder / "broken").touch()
    assert laptop.run("addflow.py", "--tag", "nightly").code == 1
    (laptop.folder / "broken").unlink()
    assert laptop.resume("addflow.py").code == 0
    return laptop


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path)


TINY = """
@step
def start(self):
    self.x = list(range(10_000))
    self.next(self.end)

@step
def end(self):
    if os.path.exists("broken"):
        sys.exit(3)
"""
