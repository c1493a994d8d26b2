"""What a task's process imports: the standard library alone, and not too much of it.

Time on a shared machine says little, so modules are counted. `docs/performance.md` has the milliseconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SLOW = {
    "asyncio", "concurrent.futures", "email", "http.client", "importlib.metadata", "logging", "random", "ssl",
    "socket", "subprocess", "tempfile", "threading", "traceback", "urllib.request", "zipfile",
}  # fmt: skip
MOST_MODULES = 185


def imported(module: str) -> set[str]:
    """The modules that importing one brings, in a Python that has nothing but the standard library."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; import {module}; print(*sys.modules)"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path("runtime").absolute())},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["reflow.task.pod", "reflow.task.child"])
def test_a_task_imports_the_standard_library_alone_and_little_of_it(module: str) -> None:
    found = imported(module)
    foreign = {name for name in found if name.partition(".")[0] not in (*sys.stdlib_module_names, "reflow")}
    assert foreign - {"__main__"} == set()
    assert found & SLOW == set()
    assert len(found) <= MOST_MODULES


def test_importing_reflow_alone_brings_next_to_nothing() -> None:
    assert {name for name in imported("reflow") if name.startswith("reflow")} == {"reflow"}
