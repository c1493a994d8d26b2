"""Code packages: what `code/<sha256>` holds. One file is kept as it is; several are a zip.

The script's name is in the manifest (`CodeRef.script`), so one file needs no archive: a task is spared
importing zipfile.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from reflow.values.errors import CorruptObject

_ZIP = b"PK\x03\x04"


def pack_file(text: bytes) -> bytes:
    """A package of the script alone."""
    return text


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """A package of several files, by their paths with `/`. The same files give the same bytes."""
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def unpack(package: bytes, script: str, folder: str) -> str:
    """Write a package's files below `folder`; the script's path there. Raises CorruptObject.

    A file's path can't lead out of `folder`.
    """
    path = os.path.join(folder, *_parts(script))
    if not package.startswith(_ZIP):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(package)
        return path
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            archive.extractall(folder)
    except zipfile.BadZipFile as error:
        raise CorruptObject(f"The code package can't be unpacked: {error}.") from None
    if not os.path.exists(path):
        raise CorruptObject(f"The code package holds no file {script}.")
    return path


def read_script(package: bytes, script: str, limit: int) -> str | None:
    """The script's text; None where a package of several files lacks it, or it's longer than `limit` bytes.

    Raises CorruptObject where the package can't be read, or the script isn't text in UTF-8.
    """
    data: bytes | None = package
    if package.startswith(_ZIP):
        data = _from_zip(package, script, limit)
    if data is None or len(data) > limit:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise CorruptObject(
            f"The script {script} in the code package isn't text in UTF-8: {error}."
        ) from None


def read_beside(package: bytes, name: str, limit: int) -> str | None:
    """The text of a file that came along with the script; None where none did, or it's longer than `limit` bytes.

    Raises CorruptObject.
    """
    data = _from_zip(package, name, limit) if package.startswith(_ZIP) else None
    return None if data is None else data.decode(errors="replace")


def _from_zip(package: bytes, script: str, limit: int) -> bytes | None:
    import io
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            entry = archive.getinfo(script)
            return archive.read(entry) if entry.file_size <= limit else None
    except KeyError:
        return None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise CorruptObject(f"The code package can't be read: {error}.") from None


def _parts(script: str) -> list[str]:
    """A relative path's parts, without those that lead upwards."""
    return [part for part in script.split("/") if part not in ("", ".", "..")]
