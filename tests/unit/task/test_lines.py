"""Bytes as lines."""

from __future__ import annotations

from reflow.task.lines import LONGEST, PROGRESS_EVERY, LineSplitter


def test_lines_come_out_when_they_are_complete() -> None:
    lines = LineSplitter()
    assert lines.feed(b"one\ntw", 0) == ["one"]
    assert lines.feed(b"o\n\nthree", 0) == ["two", ""]
    assert lines.flush() == ["three"]
    assert lines.flush() == []


def test_a_character_cut_in_two_is_put_together() -> None:
    lines = LineSplitter()
    first, second = "é".encode()[:1], "é".encode()[1:]
    assert lines.feed(first, 0) == []
    assert lines.feed(second + b"\n", 0) == ["é"]


def test_windows_line_ends_are_line_ends() -> None:
    lines = LineSplitter()
    assert lines.feed(b"one\r", 0) == []
    assert lines.feed(b"\ntwo\r\n", 0) == ["one", "two"]


def test_a_progress_bar_is_shown_now_and_then_and_as_it_ends() -> None:
    lines = LineSplitter()
    lines.feed(b"begun\n", 100)
    assert lines.feed(b"\r10%", 101) == []
    assert lines.feed(b"\r20%", 102) == []
    assert lines.feed(b"\r50%\r60%", 101 + PROGRESS_EVERY) == ["50%"]
    assert lines.feed(b"\r100%\n", 107) == ["100%"]


def test_a_line_without_end_is_shown_in_pieces_and_takes_bounded_memory() -> None:
    lines = LineSplitter()
    shown = []
    for _ in range(100):
        shown += lines.feed(b"x" * 10_000, 0)
        assert len(lines._rest) <= LONGEST
    shown += lines.flush()
    assert sum(map(len, shown)) == 1_000_000


def test_a_progress_bar_without_end_takes_bounded_memory() -> None:
    lines = LineSplitter()
    for n in range(100_000):
        lines.feed(b"\r%d" % n, 0)
    assert len(lines._rest) < 100
    assert lines.flush() == ["99999"]
