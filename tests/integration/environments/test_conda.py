"""`@conda`, with a stand-in for conda: a script on PATH that notes its command lines, makes a bare environment instead
of one from a channel, and lists what a real one would. What conda itself does isn't proven here; what is asked of it
is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.integration.environments.conftest import Bench

STAND_IN = """#!/bin/sh
echo "$@" >> {folder}/calls
case "$*" in
  *missing=*) echo "PackagesNotFoundError: missing is not in any channel" >&2; exit 1;;
esac
if [ "$1" = create ]; then
    {python} -m venv --without-pip "$3" && mkdir -p "$3/conda-meta" && rm "$3/pyvenv.cfg" || exit 1
    if [ "$4" = --file ]; then cp "$5" {folder}/explicit; fi
    echo "a progress bar that nobody asked for"
elif [ "$1" = list ] || [ "$2" = export ]; then
    echo "# This file may be used to create an environment"
    echo "@EXPLICIT"
    echo "https://channel/noarch/tiny-1.2-py_0.conda#0123456789abcdef0123456789abcdef"
fi
"""
BODY = """
    @step
    def start(self):
        self.next(self.packed)

    @conda(packages={"tiny": "1.2", "other": ">=1,<2"}, libraries={"old": ""})
    @step
    def packed(self):
        self.prefix = sys.prefix, os.environ.get("CONDA_PREFIX"), os.environ.get("VIRTUAL_ENV")
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def stand_in(bench: Bench, name: str) -> None:
    path = bench.tools / "bin" / name
    path.write_text(STAND_IN.format(folder=bench.tools, python=os.path.realpath(bench.python)))
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("name", "listing"),
    [("conda", "list --explicit --md5"), ("micromamba", "env export --explicit")],
)
def test_conda_resolves_once_and_makes_what_it_resolved(bench: Bench, name: str, listing: str) -> None:
    stand_in(bench, name)
    script = bench.flow("Conda", BODY)
    played = bench.run(script, "--environment=conda")
    assert played.code == 0, played.all

    resolved, listed, made = bench.calls
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert resolved.startswith("create --prefix ")
    assert f" --channel conda-forge python={version} old other>=1,<2 tiny==1.2 --yes --quiet" in resolved
    assert listed.startswith(listing)
    assert made.startswith(f"create --prefix {bench.environments[0]} --file ")
    assert "tiny-1.2-py_0.conda#0123456789abcdef" in (bench.tools / "explicit").read_text()
    assert list((bench.cache / "reflow" / "environments" / "scratch").iterdir()) == []

    prefix = str(bench.environments[0])
    assert bench.value("Conda", "1", "packed/0", "prefix")[1:] == (prefix, None)
    kept = bench.manifest("Conda", "1").environments
    assert list(kept["steps"]) == ["packed"]
    assert kept["locks"][kept["steps"]["packed"]]["platform"].startswith("linux-")

    bench.forget_calls()
    assert bench.run(script).code == 0
    assert bench.calls == []


def test_condas_own_channels_are_left_alone(bench: Bench) -> None:
    stand_in(bench, "conda")
    bench.environ["CONDA_CHANNELS"] = "ours"
    assert bench.run(bench.flow("Channels", BODY)).code == 0
    assert "--channel" not in bench.calls[0]


def test_condas_own_words_are_told_before_the_run_starts(bench: Bench) -> None:
    """Found by CONDA_EXE, which an activated conda sets, where it isn't on PATH."""
    stand_in(bench, "conda")
    hidden = Path(bench.tools, "hidden")
    hidden.mkdir()
    (bench.tools / "bin" / "conda").rename(hidden / "conda")
    bench.environ["CONDA_EXE"] = str(hidden / "conda")
    played = bench.run(bench.flow("Missing", BODY.replace('"tiny": "1.2"', '"missing": "1"')))
    assert played.code == 1
    assert "PackagesNotFoundError: missing is not in any channel" in played.err
    assert "missing.py:" in played.err
    assert "The environment of step packed (@conda: " in played.err
    assert bench.runs("Missing") == []
