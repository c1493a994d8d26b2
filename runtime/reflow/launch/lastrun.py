"""Which run of a flow was the last one here: remembered beside the working directory, never in a shared store."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from reflow.values.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LastRun:
    """`command`: `run` or `resume`; `store`: the address of the store that has it."""

    run: str
    store: str
    command: str


MEMORY = ".reflow"


def nearest_memory(cwd: Path) -> Path:
    """The `.reflow` folder at or above the working directory, else the one to be made in it."""
    for folder in (cwd.absolute(), *cwd.absolute().parents):
        if (folder / MEMORY).is_dir():
            return folder / MEMORY
    return cwd.absolute() / MEMORY


def remember(folder: Path, flow: str, last: LastRun) -> None:
    """Write it whole or not at all; a folder that can't be written is no reason to fail a run."""
    path = folder / ".last" / flow
    aside = path.with_name(f"{flow}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(asdict(last)))
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)


def recall(folder: Path, flow: str) -> LastRun | None:
    """None where no run of this flow was started here, or the note can't be read."""
    try:
        found = json.loads((folder / ".last" / flow).read_text())
        return LastRun(run=str(found["run"]), store=str(found["store"]), command=str(found["command"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
