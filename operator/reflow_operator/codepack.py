"""An inline file as a code package: a zip whose bytes follow from its content alone, so that the same code
has one name.

Pure.
"""

from __future__ import annotations

import io
import zipfile
import zlib

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold: no clock in it


def pack_text(script: str, text: str) -> bytes:
    """A package with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        info = zipfile.ZipInfo(script, EPOCH)
        info.external_attr = 0o644 << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        package.writestr(info, text.encode())
    return buffer.getvalue()


def read_script(package: bytes, script: str, limit: int) -> str | None:
    """The script's text, None where the package has no such file or it is longer than `limit` bytes.

    Raises ValueError where the package is no zip, or the script isn't UTF-8.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            info = archive.getinfo(script)
            return archive.read(info).decode() if info.file_size <= limit else None
    except KeyError:
        return None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise ValueError(f"it isn't a readable zip: {error}") from error
