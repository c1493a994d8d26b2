"""One cgroup per node, so that each kubelet tidies up below its own and nowhere else. Versions 1 and 2."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from tests.cluster import settings


def roots() -> list[tuple[Path, str]]:
    """Every mounted hierarchy and its type."""
    found = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2") and where.startswith("/sys/fs/cgroup"):
            found.append((Path(where), kind))
    return found


def path_of(node: str) -> str:
    return f"/{settings.CGROUP}/{node}"


def _delegate(folder: Path) -> None:
    """Version 2: let the children of this cgroup have its controllers."""
    for controller in (folder / "cgroup.controllers").read_text().split():
        # Some can't be handed on everywhere; the kubelet says so if it needs one of those.
        with contextlib.suppress(OSError):
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def make(node: str) -> None:
    for root, kind in roots():
        folder = root
        for part in ("", settings.CGROUP, node):
            parent, folder = folder, folder / part
            folder.mkdir(exist_ok=True)
            if kind == "cgroup2":
                _delegate(folder)
            elif part and (folder / "cpuset.cpus").exists():
                for name in ("cpuset.cpus", "cpuset.mems"):
                    if not (folder / name).read_text().strip():
                        (folder / name).write_text((parent / name).read_text())


def remove(node: str | None = None, *, timeout: float = 10) -> bool:
    """The node's cgroups, or all of the cluster's. False where a process still sits in one."""
    until = time.monotonic() + timeout
    while True:
        left = False
        for root, _ in roots():
            top = root / settings.CGROUP / (node or "")
            for folder, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(folder)
                except FileNotFoundError:
                    pass
                except OSError:
                    left = True
        if not left or time.monotonic() > until:
            return not left
        time.sleep(0.05)
