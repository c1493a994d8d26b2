"""What a task's process tells its parent over the control pipe: one line of JSON, when the step has ended."""

from __future__ import annotations

import json

from reflow.store import formats
from reflow.store.values import Record
from reflow.values.dataclass import dataclass
from reflow.values.errors import CorruptObject

LIMIT = 64 << 20  # bytes; a record with very many artifacts has a few MiB


@dataclass(frozen=True, slots=True)
class Outcome:
    """`record`: complete but for the log, which the parent keeps. `unloadable`: the script isn't this run's flow, or
    doesn't import. `lost`: why the attempt doesn't count, where the store gave no answer; else ""."""

    record: Record
    unloadable: bool = False
    lost: str = ""

    def encode(self) -> bytes:
        """The line, its end included."""
        found = {
            "record": formats.record_to_json(self.record),
            "unloadable": self.unloadable,
            "lost": self.lost,
        }
        return json.dumps(found, separators=(",", ":")).encode("ascii") + b"\n"

    @staticmethod
    def decode(line: bytes) -> Outcome:
        """Raises CorruptObject where it isn't a whole outcome."""
        try:
            found = json.loads(line)
            return Outcome(
                formats.record_from_json(found["record"]), bool(found["unloadable"]), str(found["lost"])
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptObject(
                f"The task's process sent a damaged outcome ({type(error).__name__}: {error})."
            ) from None
