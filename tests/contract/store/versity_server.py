"""A VersityGW of the tests' own: the second S3 server that the store's contract is held against.

It keeps objects as files, by code that has nothing in common with MinIO's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.cluster import build
from tests.contract.store.minio_server import KEY, SECRET, Server, free_port, wait_for

HEALTH = "/health"
HOW_TO_GET = "no versitygw: `make cluster` builds it, or put one on the PATH or its path in REFLOW_VERSITYGW"


def program() -> str | None:
    """The server's program: named in the environment, on the PATH, or in the test cluster's cache."""
    built = build.versitygw()
    cached = built.folder() / "versitygw"
    given = os.environ.get("REFLOW_VERSITYGW") or shutil.which("versitygw")
    return given or (str(cached) if built.built() and cached.exists() else None)


def start(versitygw: str, folder: Path) -> Server:
    """Start it with its data in `folder`."""
    port = free_port()
    data = folder / "data"
    data.mkdir()
    environ = {"PATH": os.environ["PATH"], "ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
    # What it keeps beside the objects goes into extended attributes, which not every file system has.
    command = [
        versitygw,
        "--port",
        f"127.0.0.1:{port}",
        "--keep-alive",
        "--quiet",
        "--health",
        HEALTH,
        "posix",
    ]
    with (folder / "versitygw.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--sidecar", str(_made(folder / "meta")), str(data)],
            env=environ,
            stdout=log,
            stderr=log,
        )
    server = Server(f"http://127.0.0.1:{port}", process)
    wait_for(server, HEALTH, folder / "versitygw.log")
    return server


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
