"""Lines of `ctr events`: which say when a container's first process started or ended."""

from __future__ import annotations

from benchmarks.containers import Heard, parse

START = '2026-11-24 06:35:05.500000000 +0000 UTC k8s.io /tasks/start {"container_id":"49dae8","pid":11735}\n'
EXIT = (
    "2026-11-24 06:35:06 +0000 UTC k8s.io /tasks/exit "
    '{"container_id":"49dae8","id":"49dae8","pid":11735,"exited_at":"2026-11-24T06:35:06Z"}\n'
)


def test_a_start_is_heard_to_the_fraction_of_a_second() -> None:
    assert parse(START) == Heard("49dae8", "/tasks/start", 1795502105.5)


def test_an_exit_on_the_full_second_is_heard_too() -> None:
    assert parse(EXIT) == Heard("49dae8", "/tasks/exit", 1795502106.0)


def test_the_exit_of_another_process_in_the_container_is_of_no_interest() -> None:
    assert parse(EXIT.replace('"id":"49dae8"', '"id":"a-shell"')) is None


def test_other_events_are_of_no_interest() -> None:
    assert parse(START.replace("/tasks/start", "/tasks/create")) is None
    assert parse("time=now level=warning msg=hello\n") is None
