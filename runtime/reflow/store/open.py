"""Opening a store by its address, and finding which one a command means."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from reflow.store.folder import FolderStore
from reflow.store.objects import ObjectStore
from reflow.values.dataclass import dataclass
from reflow.values.errors import UsageError

FOLDER = ".reflow"  # the store's folder where nothing else is said


@dataclass(frozen=True, slots=True)
class Found:
    """A store's address, and in words where it was found, for messages."""

    url: str
    where: str


def open_store(url: str) -> ObjectStore:
    """A store for a task's process: quick to open, standard library alone. Raises UsageError for a bad
    address.
    """
    if url.startswith("s3://"):
        from reflow.store.s3_slim import SlimS3
        from reflow.store.s3_url import S3Address

        return SlimS3(S3Address.parse(url, os.environ))
    return _folder(url)


def open_store_long_lived(url: str) -> ObjectStore:
    """A store for the command line, the client or the operator. Raises UsageError for a bad address."""
    if url.startswith("s3://"):
        from reflow.store.s3_url import S3Address

        try:
            from reflow.store.s3_minio import MinioS3
        except ModuleNotFoundError:  # in a step's own environment there's only what a task's process needs
            return open_store(url)
        return MinioS3(S3Address.parse(url, os.environ))
    return _folder(url)


def _folder(url: str) -> FolderStore:
    scheme, colon, _ = url.partition("://")
    if colon:
        raise UsageError(
            f"The store {url!r} can't be opened: Reflow knows folders and s3://bucket/prefix, not {scheme}://."
        )
    return FolderStore(Path(url).expanduser())


def find_store(option: str | None, script: Path | None, cwd: Path, environ: Mapping[str, str]) -> Found:
    """Which store is meant: `--store`, REFLOW_STORE, the project's configuration, the nearest `.reflow`
    folder.

    Where there is none of these, `.reflow` in the working directory, which is made at the first write.
    """
    if option:
        return Found(_absolute(option, cwd), "--store")
    if environ.get("REFLOW_STORE"):
        return Found(_absolute(environ["REFLOW_STORE"], cwd), "REFLOW_STORE")
    configured = _configured(script.absolute().parent if script else cwd.absolute())
    if configured:
        return configured
    for folder in (cwd.absolute(), *cwd.absolute().parents):
        if (folder / FOLDER).is_dir():
            return Found(str(folder / FOLDER), f"the folder {folder / FOLDER}")
    return Found(str(cwd.absolute() / FOLDER), f"the default, a folder {FOLDER} in the working directory")


def _configured(start: Path) -> Found | None:
    """From the nearest file above the script that says anything about the store."""
    for folder in (start, *start.parents):
        for name, table in (("pyproject.toml", ("tool", "reflow")), ("reflow.toml", ())):
            file = folder / name
            if file.is_file() and (url := _read_setting(file, table)):
                return Found(_absolute(url, folder), str(file))
    return None


def _read_setting(file: Path, table: tuple[str, ...]) -> str | None:
    import tomllib

    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} can't be read: {error}.") from None
    for name in table:
        found = found.get(name, {})
    url = found.get("store")
    if url is not None and not isinstance(url, str):
        raise UsageError(f"{file}: store must be text, the address of a store, not {url!r}.")
    return url


def _absolute(url: str, folder: Path) -> str:
    """A relative folder counts from where it was named."""
    if re.match(r"s3:/?[^/]", url):
        raise UsageError(f"The store {url!r} can't be opened. Did you mean s3://{url[3:].lstrip('/')}?")
    return url if "://" in url else str(folder.absolute() / Path(url).expanduser())
