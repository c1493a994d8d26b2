"""Why a process ended without a word."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from reflow.task import death


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (0, "ProcessExited", "exit code 0 before its step was done"),
        (3 << 8, "ProcessExited", "exit code 3"),
        (signal.SIGKILL, "ProcessKilled", "memory ran out"),
        (signal.SIGSEGV, "ProcessCrashed", "native code most likely (SIGSEGV: segmentation fault)"),
        (signal.SIGTERM, "ProcessKilled", "ended by a signal (SIGTERM)"),
        (33, "ProcessKilled", "signal 33"),
    ],
)
def test_it_is_told_in_words(
    status: int, kind: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(death, "MEMORY_EVENTS", (str(tmp_path / "none"),))
    told = death.cause_of_death(int(status))
    assert told.type == kind
    assert words in told.message


def test_the_kernels_word_settles_whether_memory_ran_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    events = tmp_path / "memory.events"
    monkeypatch.setattr(death, "MEMORY_EVENTS", (str(tmp_path / "none"), str(events)))
    events.write_text("low 0\noom 1\noom_kill 1\n")
    assert death.cause_of_death(signal.SIGKILL).type == "OutOfMemory"
    events.write_text("low 0\noom 0\noom_kill 0\n")
    assert death.cause_of_death(signal.SIGKILL).type == "ProcessKilled"
