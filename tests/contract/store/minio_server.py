"""A MinIO server of the tests' own: a free port of this machine, a folder of theirs, gone with the session."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from reflow.store.s3_slim import SlimS3
from reflow.store.s3_url import Credentials, S3Address
from reflow.store.s3_wire import Request
from tests.cluster import build

KEY, SECRET = "tests", "tests-secret"
HOW_TO_GET = (
    "no minio: `make cluster` builds it, or put a minio program on the PATH or its path in REFLOW_MINIO"
)


@dataclass(frozen=True)
class Server:
    """Where it is, and who may use it."""

    endpoint: str
    process: subprocess.Popen[bytes]

    def address(self, bucket: str, prefix: str = "") -> S3Address:
        return S3Address(bucket, prefix, self.endpoint, credentials=Credentials(KEY, SECRET))

    def url(self, bucket: str, prefix: str = "") -> str:
        return self.address(bucket, prefix).url

    def make_bucket(self, name: str) -> None:
        SlimS3(self.address(name))._send(Request("PUT"))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def program() -> str | None:
    """The server's program: named in the environment, on the PATH, or in the test cluster's cache."""
    built = build.minio()
    cached = built.folder() / "minio"
    given = os.environ.get("REFLOW_MINIO") or shutil.which("minio")
    return given or (str(cached) if built.built() and cached.exists() else None)


def start(minio: str, folder: Path, certificate: Path | None = None) -> Server:
    """Start it with its data in `folder`; over TLS where there's a certificate."""
    port = free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MINIO_ROOT_USER": KEY,
        "MINIO_ROOT_PASSWORD": SECRET,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    secure = ["--certs-dir", str(certificate)] if certificate else []
    data = folder / "data"
    data.mkdir(exist_ok=True)
    with (folder / "minio.log").open("wb") as log:
        process = subprocess.Popen(
            [minio, "server", "--quiet", "--address", f"127.0.0.1:{port}", *secure, str(data)],
            env=environ,
            stdout=log,
            stderr=log,
        )
    server = Server(f"{'https' if certificate else 'http'}://127.0.0.1:{port}", process)
    wait_for(server, "/minio/health/ready", folder / "minio.log")
    return server


def wait_for(server: Server, health: str, log: Path) -> None:
    """Until the server says at this path that it's well."""
    unverified = ssl._create_unverified_context()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert server.process.poll() is None, log.read_text()
        try:
            with urlopen(f"{server.endpoint}{health}", timeout=1, context=unverified):
                return
        except OSError:
            time.sleep(0.05)
    server.stop()
    raise AssertionError(f"The server didn't start within 30 s: {log.read_text()}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
