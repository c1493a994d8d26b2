"""Both S3 clients over TLS: a certificate that is trusted, and one that isn't."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reflow.store.objects import ObjectStore
from reflow.store.s3_minio import MinioS3
from reflow.store.s3_slim import SlimS3
from reflow.store.s3_url import S3Address
from reflow.values.errors import StoreUnreachable
from tests.contract.store import minio_server
from tests.contract.store.minio_server import Server

pytestmark = pytest.mark.minio
Client = Callable[[S3Address], ObjectStore]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a self-signed certificate for 127.0.0.1, as MinIO wants it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with: install the package openssl")
    folder = tmp_path_factory.mktemp("certs")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tests -addext subjectAltName=IP:127.0.0.1"
    files = ["-keyout", str(folder / "private.key"), "-out", str(folder / "public.crt")]
    subprocess.run([openssl, *words.split(), *files], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def secure(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    program = minio_server.program()
    if program is None:
        pytest.skip(minio_server.HOW_TO_GET)
    server = minio_server.start(program, tmp_path_factory.mktemp("minio-tls"), certificate)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_CA_BUNDLE", str(certificate / "public.crt"))
            server.make_bucket("secure")
        yield server
    finally:
        server.stop()


@pytest.fixture(params=[SlimS3, MinioS3])
def client(request: pytest.FixtureRequest) -> Client:
    found: Client = request.param
    return found


def test_a_trusted_server_is_used(
    client: Client, secure: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate / "public.crt"))
    store = client(secure.address("secure"))
    store.check()
    store.put("F/x", b"x" * (2 << 20))
    assert store.get("F/x") == b"x" * (2 << 20)


def test_a_server_that_nobody_vouches_for_is_not(client: Client, secure: Server) -> None:
    with pytest.raises(StoreUnreachable, match=r"(?i)certificate"):
        client(secure.address("secure")).check()


def test_plain_http_to_a_secure_server_is_refused(client: Client, secure: Server) -> None:
    address = secure.address("secure")
    plain = replace(address, endpoint=secure.endpoint.replace("https://", "http://"))
    with pytest.raises(Exception, match="store"):
        client(plain).check()
