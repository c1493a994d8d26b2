"""Where environments are kept on this machine, and how one is made once, whole, whoever else wants it too.

<root>/<digest>/          an environment; whole once MADE is in it
<root>/<digest>.lock      held by who makes it, and by the processes that do so for them
<root>/wishes/<digest>    what a resolver answered: asked for the same again, the same is taken
<root>/runtime/<digest>/  a link to this Reflow alone, which is all that an environment sees from outside
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from reflow.environments.lock import Lock, lock_from_json, lock_to_text
from reflow.values.errors import ReflowError

MADE = ".reflow-made"
PACKAGE = Path(__file__).resolve().parents[1]  # this Reflow


def cache_root(environ: Mapping[str, str]) -> Path:
    """`$XDG_CACHE_HOME/reflow/environments`, or the same below `~/.cache`."""
    base = environ.get("XDG_CACHE_HOME", "")
    folder = Path(base) if base.startswith("/") else Path(os.path.expanduser("~")) / ".cache"
    return folder / "reflow" / "environments"


class Cache:
    """The folder. Safe for any number of processes at once, and for those that are killed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, digest: str) -> Path:
        return self.root / digest

    def python(self, digest: str) -> Path | None:
        """The environment's interpreter; None where it isn't whole, or its Python has gone from this machine."""
        folder = self.folder(digest)
        python = folder / "bin" / "python"
        return python if (folder / MADE).exists() and python.exists() else None

    @contextmanager
    def held(self, digest: str, wait: Callable[[], None]) -> Iterator[int]:
        """Be the only one who makes this environment. The descriptor goes to the processes that make it: what they
        write after this one was killed still keeps others out. `wait`: a moment, again and again for as long as
        another makes it; what it raises ends the waiting."""
        with self._writable():
            self.root.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.root / f"{digest}.lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            while not _is_locked(lock):
                wait()
            yield lock
        finally:
            os.close(lock)

    def clear(self, digest: str) -> Path:
        """An empty place for it, without what an attempt that was cut short has left. Only while it's held."""
        folder = self.folder(digest)
        with self._writable():
            (folder / MADE).unlink(missing_ok=True)
            if folder.exists():
                shutil.rmtree(folder)
        return folder

    def complete(self, digest: str, lock: Lock) -> Path:
        """Say that it's whole. Returns its interpreter. Only while it's held."""
        with self._writable():
            _write(self.folder(digest) / MADE, lock_to_text(lock))
        return self.folder(digest) / "bin" / "python"

    def scratch(self) -> Path:
        """A folder for what is thrown away again."""
        with self._writable():
            folder = self.root / "scratch"
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    # What resolvers answered

    def answer(self, wish: str) -> Lock | None:
        """None where nobody has asked for the same yet."""
        try:
            return lock_from_json(json.loads((self.root / "wishes" / wish).read_text()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def keep_answer(self, wish: str, lock: Lock) -> Lock:
        """The answer from now on: the first one that was kept."""
        with self._writable():
            path = self.root / "wishes" / wish
            path.parent.mkdir(parents=True, exist_ok=True)
            if self.answer(wish) is None:
                _write(path, lock_to_text(lock))
        return self.answer(wish) or lock

    # Reflow itself

    def runtime(self) -> Path:
        """A folder that holds this Reflow and nothing else: the one that it's installed in may hold all packages."""
        name = hashlib.sha256(os.fsencode(PACKAGE)).hexdigest()[:16]
        folder = self.root / "runtime" / name
        link = folder / "reflow"
        if os.path.realpath(link) != str(PACKAGE):
            with self._writable():
                folder.mkdir(parents=True, exist_ok=True)
                aside = folder / f".{os.getpid()}"
                with suppress(FileNotFoundError):
                    aside.unlink()
                aside.symlink_to(PACKAGE, target_is_directory=True)
                aside.replace(link)
        return folder

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ReflowError(
                f"The folder {self.root}, which keeps the environments of steps, can't be written to: "
                f"{error.strerror or error}. Set XDG_CACHE_HOME to one that can."
            ) from error


def _is_locked(file: int) -> bool:
    """By this process from now on, or False where another has the lock."""
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    aside.write_text(text)
    aside.replace(path)
