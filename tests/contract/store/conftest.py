"""Every test of this folder that asks for `store` runs on each backend; `twins` are two ways into one store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from reflow.store.folder import FolderStore
from reflow.store.objects import ObjectStore
from reflow.store.s3_minio import MinioS3
from reflow.store.s3_slim import SlimS3
from reflow.store.s3_url import S3Address
from tests.contract.store import minio_server
from tests.contract.store.minio_server import Server
from tests.contract.store.serving import MINIO, VERSITY, serving

BUCKET = "contract"
BACKENDS = [
    pytest.param("folder"),
    pytest.param("slim", marks=pytest.mark.minio),
    pytest.param("minio", marks=pytest.mark.minio),
    pytest.param("slim-on-versity", marks=pytest.mark.versity),
    pytest.param("minio-on-versity", marks=pytest.mark.versity),
]
_numbers = count()


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with an empty bucket `contract`."""
    with serving(MINIO, tmp_path_factory.mktemp("minio"), BUCKET) as server:
        yield server


@pytest.fixture(scope="session")
def versity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same with the second server."""
    with serving(VERSITY, tmp_path_factory.mktemp("versity"), BUCKET) as server:
        yield server


@dataclass(frozen=True)
class Place:
    """An empty store: `open` opens it again, as another process would; `environ` and `url` let one do so."""

    open: Callable[[], ObjectStore]
    url: str
    environ: dict[str, str]


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(lambda: FolderStore(tmp_path / "store"), str(tmp_path / "store"), {})
    server: Server = request.getfixturevalue("versity" if "versity" in request.param else "minio")
    return s3_place(server, SlimS3 if request.param.startswith("slim") else MinioS3)


def s3_place(server: Server, kind: Callable[[S3Address], ObjectStore]) -> Place:
    prefix = f"test-{os.getpid()}-{next(_numbers)}"
    address = server.address(BUCKET, prefix)
    keys = {"AWS_ACCESS_KEY_ID": minio_server.KEY, "AWS_SECRET_ACCESS_KEY": minio_server.SECRET}
    return Place(lambda: kind(address), address.url, keys)


@pytest.fixture
def store(place: Place) -> ObjectStore:
    return place.open()


@pytest.fixture(params=[("slim", "minio"), ("minio", "slim")], ids="-then-".join)
def twins(request: pytest.FixtureRequest, minio: Server) -> tuple[ObjectStore, ObjectStore]:
    """One S3 store, opened by both clients: what the first writes, the second reads."""
    address = minio.address(BUCKET, f"twins-{os.getpid()}-{next(_numbers)}")
    kinds: dict[str, Callable[[S3Address], ObjectStore]] = {"slim": SlimS3, "minio": MinioS3}
    first, second = request.param
    return kinds[first](address), kinds[second](address)
