"""What is told of samples: medians, ratios in pairs, and whether a promise was kept."""

from __future__ import annotations

import pytest

from benchmarks.figures import Goal, Report, Row, number, ratios, table


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.00123, "0.001"),
        (0.5, "0.500"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (1234.4, "1,234"),
        (10_000, "10,000"),
    ],
)
def test_a_number_is_shown_with_the_digits_that_count(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_row_tells_median_mean_and_range() -> None:
    row = table([Row("a step", [1.0, 2.0, 6.0], "s", "luck")])[-1]
    assert row == "| a step | 3 | 2 s | 3 s | 1–6 | luck |"


def test_a_row_without_samples_is_shown_as_such() -> None:
    assert table([Row("nothing", [])])[-1] == "| nothing | 0 | – | – | – |  |"


def test_a_missed_goal_says_so() -> None:
    assert str(Goal("a step", 0.7, 0.5, " s")) == "MISSED: a step: 0.700 s (≤ 0.500 s)"


def test_a_goal_may_be_a_least_value() -> None:
    assert Goal("faster", 5.0, 5.0, at_least=True).met
    assert not Goal("faster", 4.9, 5.0, at_least=True).met


def test_ratios_compare_what_was_measured_after_one_another() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]


def test_a_report_shows_how_the_load_and_the_goals() -> None:
    report = str(Report("Title", "So it was.", [Row("a", [1.0])], "calm", [Goal("a", 1.0, 2.0)]))
    assert report.startswith("### Title\n\nSo it was.\n")
    assert report.endswith("Load: calm.\n\n- met: a: 1 (≤ 2)")
