"""`parallel_map` and `profile`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reflow.sdk.multicore import MulticoreException, parallel_imap_unordered, parallel_map
from reflow.sdk.profiling import profile


def test_results_come_in_the_order_of_the_values(tmp_path: Path) -> None:
    factor = 3
    assert parallel_map(lambda n: n * factor, range(7), max_parallel=3, dir=str(tmp_path)) == list(
        range(0, 21, 3)
    )
    assert sorted(parallel_imap_unordered(str.upper, ["a", "b"])) == ["A", "B"]
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_fails_fails_the_whole(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MulticoreException, match="value 2 failed"):
        parallel_map(lambda n: 1 // (2 - n), range(5), max_parallel=1, dir=str(tmp_path))
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [0, 3])
def test_a_process_that_ends_itself_fails_the_whole(code: int, tmp_path: Path) -> None:
    def ends(value: int) -> int:
        if value == 2:
            os._exit(code)
        return value

    with pytest.raises(MulticoreException, match="value 1 failed"):
        parallel_map(ends, [1, 2, 3], dir=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_time_that_a_block_takes_is_printed_or_added_up(capsys: pytest.CaptureFixture[str]) -> None:
    with profile("work"):
        pass
    assert "PROFILE: work starting\nPROFILE: work completed in" in capsys.readouterr().out
    times = {"work": 1000}
    with profile("work", stats_dict=times):
        pass
    assert times["work"] >= 1000
    assert capsys.readouterr().out == ""
