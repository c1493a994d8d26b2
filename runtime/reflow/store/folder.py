"""Objects as files below a folder.

Each write goes to a file of its own in `<root>/.tmp` and is then renamed (put) or linked (put if absent)
into place, so readers see whole objects or none, whatever gets killed. Nothing is fsynced: a killed
process loses nothing, since what it wrote is with the kernel already; a power cut may lose the last
seconds, which the next run or resume does again. An fsync per object would cost a laptop more than the
task that made it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from reflow.store.folder_errors import explain
from reflow.store.objects import ObjectInfo, checked
from reflow.values.errors import NotFound, StoreError, StoreRefused, StoreUnreachable, StoreUnsuitable

_SCRATCH = ".tmp"
_CHECKS = "check/"
ABANDONED = 24 * 3600.0  # seconds without a write after which a file in it is nobody's
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})

_Entries = list[os.DirEntry[str]]


class FolderStore:
    """A store in a folder, which is made at the first write. Safe to use from several threads and
    processes.
    """

    parallel = 1

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))
        self._root = str(self.root)
        self._scratch = os.path.join(self._root, _SCRATCH)
        self._was_there = False

    @property
    def url(self) -> str:
        return self._root

    @property
    def scratch(self) -> Path:
        if self._was_there and not os.path.isdir(self._root):
            # Made anew it would be another store: where this one was mounted, or in place of what was deleted.
            raise StoreRefused(
                f"The store's folder {self._root} is gone: it was deleted, renamed or unmounted. Once it's there again,"
                " try again or resume."
            )
        try:
            _make(self._scratch)
        except OSError as error:
            raise explain(error, self._scratch) from error
        return Path(self._scratch)

    def lock_path(self, key: str) -> str:
        """A file beside the objects, for locking by processes of this host. Neither it nor its folder need exist."""
        return os.path.join(self._root, ".locks", checked(key))

    # Reading

    def get(self, key: str) -> bytes:
        with self.open(key) as file:
            return _read(file, self._path(key))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        with self.open(key) as file:
            file.seek(start)
            return _read(file, self._path(key), length)

    def get_into(self, key: str, target: BinaryIO) -> None:
        import shutil  # brings the compressors along, and a task seldom needs it

        with self.open(key) as file:
            shutil.copyfileobj(file, target, 1 << 20)

    def open(self, key: str) -> BinaryIO:
        path = self._path(key)
        try:
            file = open(path, "rb")  # noqa: SIM115
            self._note(key)
            return file
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotFound(f"There is no {key} in the store {self._root}.") from None
        except OSError as error:
            raise explain(error, path) from error

    def stat(self, key: str) -> ObjectInfo | None:
        path = self._path(key)
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise explain(error, path) from error
        return ObjectInfo(key, found.st_size, found.st_mtime)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        folder, _, start = prefix.rpartition("/")
        yield from self._walk(f"{folder}/" if folder else "", start, after)

    def _walk(self, folder: str, start: str, after: str) -> Iterator[ObjectInfo]:
        """The objects below `folder` (empty, or ending in `/`) whose next part starts with `start`."""
        entries = [entry for entry in self._entries(folder) if entry.name.startswith(start)]
        # A folder sorts as its objects' keys do: by its name with the slash.
        for name, entry in sorted((e.name + "/" if e.is_dir() else e.name, e) for e in entries):
            key = folder + name
            if not name.endswith("/"):
                if key > after and (info := _info(key, entry)):
                    yield info
            elif key > after or after.startswith(key):
                yield from self._walk(key, "", after)

    def _entries(self, folder: str) -> _Entries:
        path = os.path.join(self._root, folder)
        try:
            with os.scandir(path) as found:
                return [e for e in found if folder or not e.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise explain(error, path) from error

    def list_folders(self, prefix: str) -> Iterator[str]:
        for entry in sorted(self._entries(prefix), key=lambda e: e.name):
            if entry.is_dir() and self._entries(f"{prefix}{entry.name}/"):
                yield entry.name

    # Writing

    def put(self, key: str, data: bytes) -> None:
        self._replace(self._write_aside(data), self._path(key))
        self._note(key)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        path = self._path(key)
        aside = self._write_aside(data)
        try:
            is_new = self._link(aside, path)
        finally:
            _forget(aside)
        self._note(key)
        return is_new

    def put_file(self, key: str, path: Path, sha256: str) -> None:
        import shutil

        aside = self._name_aside()
        try:
            shutil.copyfile(path, aside)
        except OSError as error:
            _forget(aside)
            raise explain(error, self._root) from error
        self._replace(aside, self._path(key))
        self._note(key)

    def move_file(self, key: str, path: Path, sha256: str) -> None:
        self._replace(str(path), self._path(key))
        self._note(key)

    def delete(self, keys: Iterable[str]) -> None:
        folders = set()
        for key in keys:
            path = self._path(key)
            try:
                os.unlink(path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise explain(error, path) from error
            folders.add(os.path.dirname(path))
        for folder in sorted(folders, key=len, reverse=True):
            self._prune(folder)

    def _prune(self, folder: str) -> None:
        """Remove folders left empty. One that a writer has just made is made again by it: see
        `_into_place`.
        """
        while folder.startswith(self._root + os.sep):
            try:
                os.rmdir(folder)
            except OSError:
                return
            folder = os.path.dirname(folder)

    def _note(self, key: str) -> None:
        """From now on the folder is there to stay. A check's objects don't count: of several processes that check a new
        store, one may take the folder away that it made, and another makes it again."""
        self._was_there = self._was_there or not key.startswith(_CHECKS)

    def _path(self, key: str) -> str:
        return f"{self._root}/{checked(key)}"

    def _name_aside(self) -> str:
        return str(self.scratch / f"{os.getpid()}-{os.urandom(6).hex()}")

    def _write_aside(self, data: bytes) -> str:
        aside = f"{self._scratch}/{os.getpid()}-{os.urandom(6).hex()}"
        try:
            _write(aside, data)
        except FileNotFoundError:
            _ = self.scratch
            return self._write_aside(data)
        except OSError as error:
            _forget(aside)
            raise explain(error, self._root) from error
        return aside

    def _replace(self, aside: str, path: str) -> None:
        try:
            _into_place(os.replace, aside, path)
        except OSError as error:
            _forget(aside)
            raise explain(error, path) from error

    def _link(self, aside: str, path: str) -> bool:
        try:
            _into_place(os.link, aside, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno in _NO_LINKS:
                raise StoreUnsuitable(
                    f"The file system of {self._root} has no hard links, so the store can't tell who wrote a"
                    " result first. Choose a store on another file system, or in S3."
                ) from error
            raise explain(error, path) from error
        return True

    # The store itself

    def now(self) -> float:
        """By the clock of the file system, which on a network drive is the server's; by this host's, where nothing may
        be written.
        """
        try:
            aside = self._write_aside(b"")
        except StoreRefused:
            return time.time()
        try:
            return os.stat(aside).st_mtime
        except OSError as error:
            raise explain(error, self._root) from error
        finally:
            _forget(aside)

    def check(self) -> None:
        """See `ObjectStore.check`. Also clears away what killed writers left in `.tmp`."""
        parent = os.path.dirname(self._root)
        if not os.path.isdir(parent):
            raise StoreUnreachable(
                f"The store {self._root} can't be made: there is no folder {parent}."
                " Mount or make it, or name another."
            )
        existed = os.path.isdir(self._root)
        key = f"{_CHECKS}{os.urandom(8).hex()}"
        try:
            first, second = self.put_if_absent(key, b"1"), self.put_if_absent(key, b"2")
            if (first, second) != (True, False) or self.get(key) != b"1":
                raise StoreUnsuitable(
                    f"The file system of {self._root} lets a second writer replace what a first one linked,"
                    " so the store can't tell who wrote a result first. Choose a store on another file"
                    " system, or in S3."
                )
        finally:
            if os.path.isdir(self._root):
                self._leave_nothing(key, existed)
        if existed:
            self._sweep()

    def _sweep(self) -> None:
        old = self.now() - ABANDONED
        with contextlib.suppress(OSError), os.scandir(self._scratch) as found:
            for entry in found:
                if entry.stat().st_mtime < old:
                    _forget(entry.path)

    def _leave_nothing(self, key: str, existed: bool) -> None:
        try:
            self.delete([key])
            if not existed:
                os.rmdir(self._scratch)
                os.rmdir(self._root)
        except (OSError, StoreError):
            pass  # another process is writing to it by now, or it's what the check complains of


def _make(folder: str) -> None:
    """Make a folder and those above it, again if others take them away meanwhile."""
    for _ in range(100):
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.makedirs(folder, exist_ok=True)
            return
    os.makedirs(folder, exist_ok=True)


def _into_place(move: Callable[[str, str], None], aside: str, path: str) -> None:
    """Rename or link, making the folder if it's missing: again if a deletion elsewhere has just pruned it."""
    for _ in range(100):
        try:
            move(aside, path)
            return
        except FileNotFoundError:
            if not os.path.exists(aside):
                raise
            with contextlib.suppress(FileNotFoundError, FileExistsError):
                os.makedirs(os.path.dirname(path), exist_ok=True)
    move(aside, path)


def _write(path: str, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def _read(file: BinaryIO, path: str, length: int = -1) -> bytes:
    try:
        return file.read(length)
    except OSError as error:
        raise explain(error, path) from error


def _info(key: str, entry: os.DirEntry[str]) -> ObjectInfo | None:
    try:
        found = entry.stat()
    except FileNotFoundError:
        return None  # deleted since it was listed
    return ObjectInfo(key, found.st_size, found.st_mtime)


def _forget(aside: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(aside)
