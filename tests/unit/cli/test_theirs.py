"""Options of Metaflow's."""

from __future__ import annotations

import argparse

import pytest

from reflow.cli.theirs import add_their_options, add_their_running_options, without_effect

FOLDER, BUCKET = "/home/ada/.reflow", "s3://bucket/flows"


def given(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    add_their_options(parser)
    add_their_running_options(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize(
    ("arguments", "store", "told"),
    [
        (["--no-pylint", "--metadata", "local", "--datastore", "local"], FOLDER, []),
        (["--datastore", "s3"], BUCKET, []),
        (["--monitor", "debugMonitor", "--pylint"], FOLDER, ["--monitor", "--pylint"]),
        (
            ["--package-suffixes", ".py,.txt", "--max-log-size", "20"],
            BUCKET,
            ["--package-suffixes", "--max-log-size"],
        ),
    ],
)
def test_an_option_is_told_of_where_its_user_may_expect_something_of_it(
    arguments: list[str], store: str, told: list[str]
) -> None:
    assert list(without_effect(given(*arguments), store)) == told


def test_s3_is_told_to_be_a_folder_where_no_bucket_is_named() -> None:
    (told,) = without_effect(given("--datastore", "s3"), FOLDER)
    assert FOLDER in told
    assert "--store names a bucket" in told
