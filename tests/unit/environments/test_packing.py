"""Archives of packages: for which platform they are, and that their programs start any Python."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from reflow.environments.archive import ANY
from reflow.environments.here import Here
from reflow.environments.lock import Lock
from reflow.environments.packing import collect
from reflow.environments.spec import EnvironmentSpec, Kind

LOCK = Lock(EnvironmentSpec(Kind.PYPI), "3.99", "")
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\nTag: {tag}\n"


class Installs:
    """Stands for uv: puts these files there."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def install_into(self, folder: Path, *_: object) -> None:
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)


def collected(folder: Path, files: dict[str, str]) -> str:
    uv: Any = Installs(files)
    return collect(uv, Here.find(), LOCK, "linux-x86_64", "3.99", folder)


PURE = {"a-1.dist-info/WHEEL": WHEEL.format(pure="true", tag="py3-none-any"), "a.py": ""}


@pytest.mark.parametrize(
    ("further", "platform"),
    [
        ({}, ANY),
        ({"a/data.txt": "Tag: py3-none-manylinux_2_17_x86_64"}, ANY),
        (
            {
                "bin/ruff": "\x7fELF",
                "ruff-1.dist-info/WHEEL": WHEEL.format(pure="false", tag="py3-none-manylinux_2_17_x86_64"),
            },
            "linux-x86_64",
        ),
        ({"a/inner.cpython-311-x86_64-linux-gnu.so": ""}, "linux-x86_64"),
        ({"a.libs/libz.so.1": ""}, "linux-x86_64"),
    ],
)
def test_packages_with_machine_code_are_for_one_platform(
    further: dict[str, str], platform: str, tmp_path: Path
) -> None:
    assert collected(tmp_path, {**PURE, **further}) == platform


@pytest.mark.parametrize(
    ("begins", "changed"),
    [
        ("#!/opt/python3.11/bin/python3\n", "#!/usr/bin/env python3\n"),
        ("#!/bin/sh\n'''exec' '/a place/bin/python3' \"$0\" \"$@\"\n' '''\n", "#!/usr/bin/env python3\n"),
        ("#!/bin/sh\n'''exec' /long/bin/python3.11 -s \"$0\" \"$@\"\n' '''\n", "#!/usr/bin/env python3\n"),
        ("#!/bin/sh\nexec python3 -m a\n", "#!/bin/sh\nexec python3 -m a\n"),
        ("\x7fELF", "\x7fELF"),
    ],
)
def test_a_program_starts_the_first_python_on_path(begins: str, changed: str, tmp_path: Path) -> None:
    rest = "# -*- coding: utf-8 -*-\nimport sys\n"
    collected(tmp_path, {**PURE, "bin/tool": begins + rest})
    assert (tmp_path / "bin/tool").read_text() == changed + rest
    assert (tmp_path / "bin/tool").stat().st_mode & stat.S_IXUSR
