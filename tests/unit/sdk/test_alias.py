"""`metaflow` meaning Reflow, in processes that ask for it and in no others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def python(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a Python that also has a package `metaflow`, which is no part of Reflow."""
    (path / "metaflow").mkdir(exist_ok=True)
    (path / "metaflow" / "__init__.py").write_text("FlowSpec = 'the real one'\n")
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(Path("runtime").absolute())])},
        capture_output=True,
        text=True,
        timeout=30,
    )


INSTALL = "from reflow.sdk.alias import install_alias; install_alias()\n"


@pytest.mark.parametrize(
    "code",
    [
        "from metaflow import FlowSpec, step; import reflow; print(FlowSpec is reflow.FlowSpec)",
        "import metaflow, reflow; print(metaflow.FlowSpec is reflow.FlowSpec)",
        "import metaflow as m, reflow; print(m.Parameter is reflow.Parameter)",
        "from metaflow.exception import FlowMisuse as e; import reflow.sdk.exceptions as x; print(e is x.FlowMisuse)",
        "from metaflow import current; import reflow; print(current is reflow.current)",
        "from metaflow import *; import reflow; print(FlowSpec is reflow.FlowSpec)",
        "from metaflow.exception import MetaflowNotFound as e; import reflow; print(e is reflow.MetaflowNotFound)",
        "from metaflow.user_decorators.user_step_decorator import StepMutator as m; import reflow as r;"
        " print(m is r.StepMutator)",
        "import metaflow.plugins.datatools.s3 as s, reflow; print(s.S3 is reflow.S3)",
        "from metaflow.runner.metaflow_runner import Runner as r; import reflow; print(r is reflow.Runner)",
        "from metaflow import metaflow_version as v, __version__ as w; print(v.get_version() == w > '2')",
        "from metaflow.multicore_utils import parallel_map as p; print(p(lambda n: n > 0, [1], dir='.') == [True])",
    ],
)
def test_metaflows_names_are_reflows_even_where_metaflow_is_installed(code: str, tmp_path: Path) -> None:
    assert python(INSTALL + code, tmp_path).stdout == "True\n"
    imported = "import metaflow\n" + INSTALL + code
    assert python(imported, tmp_path).stdout == "True\n"


@pytest.mark.parametrize(
    "code",
    [
        "from reflow.exception import MetaflowNotFound as e; import reflow; print(e is reflow.MetaflowNotFound)",
        "import reflow.includefile as i, reflow; print(i.IncludeFile is reflow.IncludeFile)",
        "import reflow.plugins.datatools.s3 as s, reflow; print(s.S3 is reflow.S3)",
        "from reflow.user_decorators.mutable_flow import MutableFlow as m; import reflow; print(m is not None)",
    ],
)
def test_metaflows_modules_are_found_under_reflows_name_too(code: str, tmp_path: Path) -> None:
    assert python(code, tmp_path).stdout == "True\n"


def test_a_module_that_neither_has_is_not_there(tmp_path: Path) -> None:
    done = python("import reflow.nonsense", tmp_path)
    assert "ModuleNotFoundError: No module named 'reflow.nonsense'" in done.stderr


def test_without_the_alias_metaflow_is_what_is_installed(tmp_path: Path) -> None:
    assert python("import reflow, metaflow; print(metaflow.FlowSpec)", tmp_path).stdout == "the real one\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import metaflow.plugins.aws", "In this run metaflow means Reflow, which has no such module."),
        ("from metaflow.nosuch import x", "In this run metaflow means Reflow, which has no such module."),
        ("from metaflow import nosuch", "In this run metaflow means Reflow, which has no such name."),
        ("from metaflow.cards import nosuch", "In this run metaflow means Reflow, which has no such name."),
        ("import nosuch", ""),
        ("from json import nosuch", ""),
    ],
)
def test_what_reflow_lacks_is_told_in_words(code: str, said: str, tmp_path: Path) -> None:
    tried = f"try:\n    {code}\nexcept ImportError as error:\n    print(alias.lacking(error))"
    start = "import reflow.sdk.alias as alias\n"
    assert python(start + "alias.install_alias()\n" + tried, tmp_path).stdout == f"{said}\n"
    assert python(start + tried, tmp_path).stdout == "\n", "of Metaflow itself there is nothing to say"


def test_whoever_asks_whether_a_module_is_there_gets_an_answer(tmp_path: Path) -> None:
    code = (
        "from importlib.util import find_spec\n"
        "print(find_spec('metaflow.nosuch'), find_spec('metaflow.plugins.aws'), find_spec('metaflow.cards').name)"
    )
    assert python(INSTALL + code, tmp_path).stdout == "None None metaflow.cards\n"


def test_no_module_hides_a_name_that_users_import(tmp_path: Path) -> None:
    """Importing a submodule binds its name in the package, over whatever had it."""
    code = (
        "import pkgutil, importlib, reflow, types\n"
        "for room in ('reflow.sdk', 'reflow.client', 'reflow.runner'):\n"
        "    package = importlib.import_module(room)\n"
        "    for found in pkgutil.iter_modules(package.__path__):\n"
        "        importlib.import_module(f'{room}.{found.name}')\n"
        "    print([n for n in package.__all__ if isinstance(getattr(package, n), types.ModuleType)])\n"
    )
    assert python(code, tmp_path).stdout == "[]\n[]\n[]\n"
