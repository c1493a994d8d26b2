"""Run as a process of its own: keeps a value of some MB and reads it again; prints by how much memory grew.

Usage: measure.py URL WHAT MEGABYTES, where WHAT is `dump`, `load`, `items` or `file`.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from reflow.store.flowstore import FlowStore
from reflow.store.open import open_store
from reflow.store.values import ArtifactRef


def peak() -> int:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _blocks(megabytes: int) -> Iterator[bytes]:
    for number in range(megabytes):
        yield number.to_bytes(4, "big") * (1 << 18)


def main(url: str, what: str, megabytes: int) -> None:
    made = _made_by_another(url, megabytes) if what == "load" else None
    flow = FlowStore(open_store(url), "Big")
    value = bytearray(megabytes << 20) if what == "dump" else None
    before, start = peak(), time.monotonic()
    if what == "dump":
        ref = flow.dump(value, budget=0)
        print(peak() - before, ref.sha256, ref.size, f"{time.monotonic() - start:.1f} s")
    elif made:
        loaded = flow.load(made, name="big")
        assert len(loaded) == megabytes << 20
        print(peak() - before, f"{time.monotonic() - start:.1f} s")
    elif what == "items":
        items = flow.dump_items("blocks", _blocks(megabytes), budget=0, limit=10**6)
        last = flow.load_item(items, megabytes - 1)
        assert last == (megabytes - 1).to_bytes(4, "big") * (1 << 18)
        print(peak() - before, f"{time.monotonic() - start:.1f} s")


def _made_by_another(url: str, megabytes: int) -> ArtifactRef:
    """A value that another process keeps, so that this one's peak is that of reading it."""
    script = f"""
from reflow.store.flowstore import FlowStore
from reflow.store.open import open_store
ref = FlowStore(open_store({url!r}), "Big").dump(bytearray({megabytes} << 20), budget=0)
print(ref.sha256, ref.size)
"""
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    return ArtifactRef(told[0], int(told[1]), "bytearray")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
