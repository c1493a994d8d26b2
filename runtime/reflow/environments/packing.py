"""Making the archives that Pods unpack: wheels alone, for their platform, whatever this machine is."""

from __future__ import annotations

import gzip
import io
import os
import re
import tarfile
from pathlib import Path

from reflow.environments.archive import ANY
from reflow.environments.here import Here
from reflow.environments.lock import Lock
from reflow.environments.uv import Uv

PLATFORMS = {
    "linux/amd64": "linux-x86_64",
    "linux/arm64": "linux-aarch64",
}  # as images name them, as Python does
_TRIPLES = {"linux-x86_64": "x86_64-unknown-linux-gnu", "linux-aarch64": "aarch64-unknown-linux-gnu"}
_LONG_AGO = 315532800  # 1980, the same for each file
_NATIVE = (".so", ".pyd", ".dylib")
# The second is for a path that is long or has spaces: two lines of shell that are a text to Python.
_STARTS_PYTHON = re.compile(rb"#![^\n]*python[^\n]*\n|#!/bin/sh\n'''exec' [^\n]*python[^\n]*\n' '''\n")


def platform_here() -> str:
    """Of images that run on this machine, as they name it."""
    return "linux/arm64" if os.uname().machine in ("arm64", "aarch64") else "linux/amd64"


def collect(uv: Uv, here: Here, lock: Lock, platform: str, python: str, folder: Path) -> str:
    """Put the packages into an empty folder; the platform that they are for: ANY where none has machine code.

    Raises Unmakeable.
    """
    uv.install_into(folder, lock, _TRIPLES[platform], python)
    (folder / ".lock").unlink(missing_ok=True)
    for script in (folder / "bin").glob("*"):
        _use_any_python(script)
    if here.is_version(python):
        _compile(folder)
    return platform if _has_machine_code(folder) else ANY


def _has_machine_code(folder: Path) -> bool:
    """What the wheels say of themselves counts, as a program has no suffix; so does any library."""
    if any(".so." in path.name or path.suffix in _NATIVE for path in folder.rglob("*")):
        return True
    return any(
        line.startswith("Tag:") and not line.rstrip().endswith("-any")
        for wheel in folder.glob("*.dist-info/WHEEL")
        for line in wheel.read_text(errors="replace").splitlines()
    )


def _use_any_python(script: Path) -> None:
    """A program starts the Python that's first on the Pod's PATH, not this machine's."""
    text = script.read_bytes()
    found = _STARTS_PYTHON.match(text)
    if found:
        script.write_bytes(b"#!/usr/bin/env python3\n" + text[found.end() :])


def _compile(folder: Path) -> None:
    import compileall
    import py_compile

    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, quiet=2, stripdir=str(folder), invalidation_mode=mode)


def pack(folder: Path, target: Path) -> None:
    """All files of the folder as one archive. The same files give the same bytes."""
    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", 1, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
                entry.size, entry.mtime = len(data), _LONG_AGO
                entry.mode = 0o755 if os.access(path, os.X_OK) else 0o644
                archive.addfile(entry, io.BytesIO(data))
