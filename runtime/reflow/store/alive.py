"""Whether somebody still works on a run: its owner renews `runs/<run>/alive` every 15 s.

Past 60 s by the store's own clock the run is dead and may be resumed. The owner also holds a file lock on its
host, so that a run that died on this host is known to be dead at once.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from reflow.store import formats
from reflow.store.folder import FolderStore
from reflow.store.layout import RunLayout
from reflow.store.objects import ObjectStore
from reflow.store.values import FORMAT
from reflow.values.dataclass import dataclass
from reflow.values.errors import CorruptObject, NewerFormat, NotFound
from reflow.values.untrusted import count, text

RENEW = 15.0  # seconds
DEAD_AFTER = 60.0  # seconds without a renewal


@dataclass(frozen=True, slots=True)
class Liveness:
    """`alive`: somebody works on the run, or did within the last minute. Who and where is for messages."""

    alive: bool
    owner: str = ""
    host: str = ""
    pid: int = 0
    age: float = 0.0  # seconds since it was last renewed


def renew(objects: ObjectStore, run: RunLayout, owner: str) -> None:
    """Say that the run is alive now."""
    found = {"v": FORMAT, "owner": owner, "host": os.uname().nodename, "pid": os.getpid()}
    objects.put(run.alive, formats.dumps(found))


def liveness(objects: ObjectStore, run: RunLayout) -> Liveness:
    """Whether the run is alive. One that has an end isn't, whatever its owner last said."""
    info = objects.stat(run.alive)
    if info is None or objects.stat(run.end) is not None:
        return Liveness(False)
    try:
        owner, host, pid = formats.read(objects.get(run.alive), run.alive, _who)
    except NotFound:
        return Liveness(False)
    except (CorruptObject, NewerFormat):
        owner, host, pid = "", "", 0  # its age tells all the same
    age = max(0.0, objects.now() - info.modified)
    alive = age < DEAD_AFTER
    if alive and host == os.uname().nodename:
        alive = _is_locked(lock_path(objects, run))
    return Liveness(alive, owner, host, pid, age)


def _who(found: dict[str, Any]) -> tuple[str, str, int]:
    return text(found.get("owner", "")), text(found.get("host", "")), count(found.get("pid", 0))


def lock_path(objects: ObjectStore, run: RunLayout) -> str:
    """The file that the run's owner locks: beside a folder's objects, else in this host's folder for such things."""
    if isinstance(objects, FolderStore):
        return objects.lock_path(run.alive)
    from hashlib import sha256

    name = sha256(f"{objects.url} {run.alive}".encode()).hexdigest()
    return os.path.join(os.environ.get("TMPDIR") or "/tmp", f"reflow-locks-{os.getuid()}", name)


def forget_lock(objects: ObjectStore, run: RunLayout) -> None:
    """Remove the lock's file: nobody works on the run any more."""
    with suppress(OSError):
        os.unlink(lock_path(objects, run))


def _is_locked(path: str) -> bool:
    """Whether a process of this host holds the lock. Where there's no lock to look at (a renewal by `renew` alone,
    another host or container of the same name) the run counts as alive.
    """
    import fcntl

    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False
