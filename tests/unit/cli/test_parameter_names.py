"""Parameters that are named as options are, and values that look like options."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from reflow import FlowSpec, Parameter
from reflow.cli.flow import FlowScript, parse
from reflow.values.errors import FlowError, UsageError

SCRIPT = FlowScript(FlowSpec, Path("named.py"), alias=False)
NAMES = [
    "artifacts-module",
    "branch",
    "datastore",
    "datastore-root",
    "environment",
    "event-logger",
    "full-traceback",
    "metadata",
    "monitor",
    "no-pylint",
    "origin-run-id",
    "package-suffixes",
    "pdb",
    "persist",
    "production",
    "pylint",
    "quiet",
    "skip-decorators",
]
RESERVED = [
    "fresh-process",
    "max-log-size",
    "max-num-splits",
    "max-workers",
    "namespace",
    "run-id-file",
    "runner-attribute-file",
    "store",
    "tag",
    "with",
]
BEFORE = [
    "--environment",
    "local",
    "--metadata",
    "local",
    "--datastore",
    "local",
    "--no-pylint",
    "--branch",
    "b",
    "--quiet",
    "--monitor",
    "m",
]


def parsed(words: list[str], *parameters: Parameter) -> argparse.Namespace:
    return parse(SCRIPT, {one.name: one for one in parameters}, words)


def given(words: list[str], *parameters: Parameter) -> object:
    """The value of the first parameter."""
    return getattr(parsed(words, *parameters), f"parameter:{parameters[0].name}")


@pytest.mark.parametrize("command", [["run"], ["spin", "start"]], ids=lambda words: words[0])
@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_takes_the_place_of_an_option_of_its_name(name: str, command: list[str]) -> None:
    plain = vars(parsed([*BEFORE, *command]))
    options = vars(parsed([*BEFORE, *command, f"--{name}", "mine"], Parameter(name)))
    assert options.pop(f"parameter:{name}") == "mine"
    assert options == plain, "what stands before the command is Reflow's own, and all else is as it was"


@pytest.mark.parametrize("name", NAMES)
def test_other_commands_keep_the_option(name: str) -> None:
    for command in ("resume", "show", "list"):
        assert parsed(["--environment", "pypi", command], Parameter(name)).environment == "pypi"
        assert parsed([command, "--environment", "pypi"], Parameter(name)).environment == "pypi"
    assert parsed(["resume", "--pdb", "--origin-run-id", "3"], Parameter(name)).pdb is True


@pytest.mark.parametrize("name", RESERVED)
def test_an_option_that_run_needs_is_no_parameters_name(name: str) -> None:
    for spelt in {name, name.replace("-", "_")}:
        with pytest.raises(FlowError, match="is an option of `run` itself; choose another name"):
            Parameter(spelt)


@pytest.mark.parametrize("command", [["run"], ["spin", "start"], ["--quiet", "run"]])
@pytest.mark.parametrize("value", ["-1e-3", "-x", "-inf", "--not-an-option", "-", "-h", "-1"])
def test_a_value_may_begin_with_a_dash(command: list[str], value: str) -> None:
    words = [*command, "--alpha", value, "--beta", "2"]
    assert given(words, Parameter("alpha"), Parameter("beta")) == value
    assert given(words, Parameter("beta"), Parameter("alpha")) == "2"


def test_each_value_of_several_may_begin_with_a_dash() -> None:
    many = Parameter("many", multiple=True)
    assert given(["run", "--many", "-a", "--many=-b", "--many", "c"], many) == ["-a", "-b", "c"]


@pytest.mark.parametrize("after", [["--beta", "2"], ["--beta=2"], ["--max-workers", "1"], []])
def test_a_value_that_was_left_out_is_no_option(after: list[str]) -> None:
    with pytest.raises(UsageError, match="--alpha: expected one argument"):
        parsed(["run", "--alpha", *after], Parameter("alpha"), Parameter("beta"))


def test_before_the_command_the_option_is_meant() -> None:
    words = ["--environment", "conda", "run", "--environment", "-prod"]
    assert given(words, Parameter("environment")) == "-prod"
    assert parsed(words, Parameter("environment")).environment == "conda"
