"""Packages made here, as small as a package can be, so that tests need no index."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path


def wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: Iterable[str] = (),
    extras: Mapping[str, str] | None = None,
) -> Path:
    """A wheel of one module, which has `VERSION`. `extras`: name → what it requires."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {one}" for one in requires]
    for extra, required in (extras or {}).items():
        lines += [f"Provides-Extra: {extra}", f"Requires-Dist: {required}; extra == '{extra}'"]
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n\n\nclass Thing:\n    made_by = VERSION\n",
        f"{info}/METADATA": "\n".join(lines) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-says = {name}:Thing\n",
    }
    files[f"{info}/RECORD"] = (
        "".join(f"{path},sha256={_hash(text)},{len(text)}\n" for path, text in files.items())
        + f"{info}/RECORD,,\n"
    )
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(zipfile.ZipInfo(inside, (2020, 1, 1, 0, 0, 0)), text)
    return path


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
