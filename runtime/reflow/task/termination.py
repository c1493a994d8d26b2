"""A Pod's termination message: control data alone, since whoever may list Pods can read it. Never a value."""

from __future__ import annotations

import json
import os
from typing import Any

from reflow.store.values import Record

PATH = "REFLOW_TERMINATION_LOG"  # the environment's variable that names the file
DEFAULT_PATH = "/dev/termination-log"
LIMIT = 2048  # bytes
ERROR_LIMIT = 1000  # characters


def of_record(record: Record, *, unloadable: bool = False) -> dict[str, Any]:
    """What the scheduler needs to know of a task that has its record."""
    found: dict[str, Any] = {
        "v": 1,
        "status": "unloadable" if unloadable else record.status.value,
        "attempt": record.attempt,
    }
    if record.width is not None:
        found["width"] = record.width
    if record.case is not None:
        found["case"] = record.case
    if record.exception is not None:
        found["error"] = record.exception.line
    if record.final:
        found["final"] = True
    return found


def of_loss(why: str, attempt: int) -> dict[str, Any]:
    """What is told of a launch that doesn't count."""
    return {"v": 1, "status": "lost", "attempt": attempt, "error": why}


def write(message: dict[str, Any]) -> None:
    """Write the message, its error cut as far as it must be. Where even then it's too long, or there is no file, none
    is written: the scheduler then looks into the store."""
    path = os.environ.get(PATH, DEFAULT_PATH)
    data = encode(message)
    if data is None:
        return
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError:
        return


def encode(message: dict[str, Any]) -> bytes | None:
    """At most LIMIT bytes; None where that can't be."""
    error = str(message.get("error", "")).partition("\n")[0]
    for length in (ERROR_LIMIT, 500, 250, 100, 0):
        shown = error if len(error) <= length else error[:length] + "…"
        found = {**message, "error": shown} if shown else {k: v for k, v in message.items() if k != "error"}
        data = json.dumps(found, separators=(",", ":")).encode("ascii")
        if len(data) <= LIMIT:
            return data
    return None
