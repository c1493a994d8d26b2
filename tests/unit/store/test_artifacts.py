from __future__ import annotations

import collections
import copyreg
import decimal
import pickle
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from reflow.store import artifacts
from reflow.store.errors import Unpicklable
from reflow.store.flowstore import FlowStore
from reflow.store.folder import FolderStore

RUNTIME = Path(__file__).parents[3] / "runtime"


@pytest.fixture
def flow(tmp_path: Path) -> FlowStore:
    return FlowStore(FolderStore(tmp_path / "store"), "F")


class Plain:
    def __init__(self) -> None:
        self.x = 1


class Reduced:
    def __reduce__(self) -> tuple[type, tuple[()]]:
        return Reduced, ()


class Meta(type):
    pass


class OfMeta(metaclass=Meta):
    pass


class Registered:
    pass


copyreg.pickle(Registered, lambda it: (Registered, ()))

ANY: list[Any] = [
    [Plain(), Plain()],
    Reduced(),
    OfMeta,
    OfMeta(),
    Registered(),
    collections.OrderedDict(a=1),
    collections.Counter("abc"),
    decimal.Decimal("1.5"),
    range(5),
    len,
    Plain,
    {Plain: [Plain]},
    pytest.raises,
    ...,
]


@pytest.mark.parametrize("value", ANY, ids=repr)
def test_values_are_pickled_exactly_as_the_standard_library_does(flow: FlowStore, value: Any) -> None:
    """Watching the types must not change a byte."""
    assert flow.dump(value, budget=1 << 20).inline == pickle.dumps(value, 5)


@hypothesis.given(
    strategies.recursive(strategies.none() | strategies.text() | strategies.binary(), strategies.lists)
)
def test_any_value_is_pickled_as_by_the_standard_library(value: Any) -> None:
    flow = FlowStore(FolderStore(Path("/nowhere")), "F")
    assert flow.dump(value, budget=1 << 20).inline == pickle.dumps(value, 5)


def test_the_packages_of_a_values_types_are_noted_and_not_the_standard_librarys(flow: FlowStore) -> None:
    value = [1, decimal.Decimal(1), {"x": hypothesis.Phase.shrink}, Path("/")]
    assert flow.dump(value, budget=1 << 20).packages == ("hypothesis",)
    assert flow.dump(pytest.raises, budget=999).packages == ("_pytest",)
    assert flow.dump(len, budget=999).packages == ()


def test_a_module_made_in_memory_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = types.ModuleType("_shared_by_extensions")
    assert shared.__spec__ is None
    monkeypatch.setitem(sys.modules, shared.__name__, shared)
    assert artifacts.versions([shared.__name__]) == {}


def test_versions_are_those_of_this_process() -> None:
    import numbers

    found = artifacts.versions(["hypothesis", "no_such_package", "_pytest", numbers.__name__])
    assert found["hypothesis"] == hypothesis.__version__
    assert found["_pytest"] == pytest.__version__
    assert "no_such_package" not in found


def test_a_class_of_a_script_loads_where_it_is_main_again(flow: FlowStore, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from reflow.store.flowstore import FlowStore\n"
        "from reflow.store.open import open_store\n"
        "from reflow.store.values import ArtifactRef\n"
        "class Model:\n"
        "    def __init__(self, x): self.x = x\n"
        "flow = FlowStore(open_store(sys.argv[1]), 'F')\n"
        "if len(sys.argv) == 2:\n"
        "    ref = flow.dump(Model(42), budget=0)\n"
        "    print(ref.sha256, ref.size, ref.type, ref.packages)\n"
        "else:\n"
        "    print(flow.load(ArtifactRef(sys.argv[2], int(sys.argv[3]), sys.argv[4]), name='m').x)\n"
    )

    def run(*arguments: str) -> list[str]:
        command = [sys.executable, str(script), flow.objects.url, *arguments]
        environ = {"PYTHONPATH": str(RUNTIME)}
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout.split()

    sha, size, name, packages = run()
    assert (name, packages) == ("__main__.Model", "()")
    assert run(sha, size, name) == ["42"]


def test_whatever_a_value_raises_while_it_is_pickled_is_told(flow: FlowStore) -> None:
    class Failing:
        def __reduce__(self) -> Any:
            raise ZeroDivisionError("none")

    with pytest.raises(Unpicklable, match="ZeroDivisionError: none"):
        flow.dump(Failing(), budget=0)
    assert list(flow.objects.scratch.iterdir()) == []
