"""How a failed attempt is told: its exception, and what its step's variables were."""

from __future__ import annotations

from collections.abc import Iterator

from reflow.store.values import Record


def locals_lines(record: Record) -> Iterator[str]:
    """The local variables of the step where it failed, if they were kept."""
    error = record.exception
    if error and error.locals:
        yield f"# variables of {record.key.step} when it failed:"
        for name, text in error.locals.items():
            yield f"#     {name} = {text}"
