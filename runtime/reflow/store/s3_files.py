"""Files on this machine beside a store in S3: where to write what is uploaded, and to read what is
downloaded.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

from reflow.store.objects import ObjectStore
from reflow.values.errors import NotFound, StoreUnreachable

IN_MEMORY = 1 << 20  # bytes: bigger objects are opened by way of a file


def scratch() -> Path:
    """The folder for temporary files, without the import of `tempfile`."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        if (folder := os.environ.get(name)) and os.path.isdir(folder):
            return Path(folder)
    return Path("/tmp")


def nameless_file() -> BinaryIO:
    """A file to write and read that is gone when it's closed, or when the process dies."""
    path = scratch() / f"reflow-{os.getpid()}-{os.urandom(6).hex()}"
    try:
        file = open(path, "x+b")  # noqa: SIM115 (handed to the caller)
        path.unlink()
    except OSError as error:
        raise StoreUnreachable(
            f"No temporary file can be made in {path.parent}: {error.strerror}."
        ) from error
    return file


def open_object(store: ObjectStore, key: str) -> BinaryIO:
    """An object to read: a small one in memory, a bigger one by way of a nameless file. Raises NotFound."""
    info = store.stat(key)
    if info is None:
        raise NotFound(f"There is no {key} in the store {store.url}.")
    if info.size <= IN_MEMORY:
        return io.BytesIO(store.get(key))
    file = nameless_file()
    try:
        store.get_into(key, file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file
