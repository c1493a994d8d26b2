"""Which manifests were applied here: noted beside the working directory, as an API server remembers objects."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reflow.values.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Applied:
    """An object that was applied. `uid`: its own; `run`: "" until its run was claimed; `store`: where that is."""

    kind: str
    name: str
    uid: str
    spec: Mapping[str, Any]
    flow: str = ""
    run: str = ""
    store: str = ""
    ended: str = ""  # "succeeded" or "failed", once it has

    @property
    def resource(self) -> str:
        """As kubectl names it: `flowrun.reflow.dev/debug-1`."""
        return f"{self.kind.lower()}.reflow.dev/{self.name}"


def note(memory: Path, applied: Applied) -> None:
    """Write it whole or not at all. Raises OSError."""
    path = _path(memory, applied.kind, applied.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    aside.write_text(json.dumps(asdict(applied), indent=1))
    aside.replace(path)


def note_first(memory: Path, applied: Applied) -> Applied:
    """As `note`; but where an object of this name and store was noted before, or is just now by another process, its
    UID stays: it's the same object, and has one run. Raises OSError.
    """
    path = _path(memory, applied.kind, applied.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.first")
    aside.write_text(json.dumps(asdict(applied), indent=1))
    try:
        os.link(aside, path)
        return applied
    except FileExistsError:
        known = noted(memory, applied.kind, applied.name)
        if known is not None and known.store == applied.store and known.uid != applied.uid:
            return known
        aside.replace(path)
        return applied
    finally:
        aside.unlink(missing_ok=True)


def noted(memory: Path, kind: str, name: str) -> Applied | None:
    """None where no such object was applied here, or the note can't be read."""
    try:
        return Applied(**json.loads(_path(memory, kind, name).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _path(memory: Path, kind: str, name: str) -> Path:
    return memory / ".applied" / f"{kind.lower()}-{name}.json"
