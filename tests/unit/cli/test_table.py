from __future__ import annotations

import argparse

import pytest

from reflow.cli.parsing import duration
from reflow.cli.table import age, size, table


def test_columns_are_aligned_and_empty_ones_left_out() -> None:
    rows = [("A", "B", "C"), ("1", "", "long"), ("22", "", "x")]
    assert table(rows) == ["A   C", "1   long", "22  x"]


def test_a_heading_alone_stays_whole() -> None:
    assert table([("A", "B")]) == ["A  B"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.3, "0s"), (59, "59s"), (61, "1m"), (7300, "2h"), (9e5, "10d")]
)
def test_an_age_has_one_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (1536, "1.5 KB"), (3 << 20, "3.0 MB"), (5 << 30, "5.0 GB")],
)
def test_a_size_has_one_unit(count: int, text: str) -> None:
    assert size(count) == text


def test_a_duration_is_a_number_and_a_unit() -> None:
    assert (duration("30d"), duration("1.5h"), duration("90m")) == (30 * 86400, 5400, 5400)
    for text in ("", "soon", "12", "d"):
        with pytest.raises(argparse.ArgumentTypeError):
            duration(text)
