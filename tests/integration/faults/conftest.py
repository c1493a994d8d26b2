"""A site on a folder and one on a real MinIO; the seed of what is random."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reflow.store.folder import FolderStore
from reflow.store.s3_minio import MinioS3
from tests.contract.store import minio_server
from tests.contract.store.minio_server import Server
from tests.contract.store.serving import MINIO, serving
from tests.integration.faults.site import Keeps, Site

BUCKET = "faults"
KEYS = {"AWS_ACCESS_KEY_ID": minio_server.KEY, "AWS_SECRET_ACCESS_KEY": minio_server.SECRET}


@pytest.fixture
def dice() -> random.Random:
    """What is random in a test, the same again with REFLOW_FAULTS_SEED set to the seed that is printed."""
    seed = int(os.environ.get("REFLOW_FAULTS_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"REFLOW_FAULTS_SEED={seed}")
    return random.Random(seed)


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(MINIO, tmp_path_factory.mktemp("minio"), BUCKET) as server:
        yield server


def in_folder(folder: Path) -> Keeps:
    return Keeps(str(folder), lambda: FolderStore(folder), {})


def in_bucket(server: Server, endpoint: str = "") -> Keeps:
    """`endpoint`: another way to the server."""
    address = server.address(BUCKET, f"site-{uuid.uuid4().hex}")
    address = replace(address, endpoint=endpoint or server.endpoint)
    return Keeps(address.url, lambda: MinioS3(address), dict(KEYS))


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.minio)])
def keeps(request: pytest.FixtureRequest, tmp_path: Path) -> Keeps:
    """An empty store of each kind."""
    if request.param == "folder":
        return in_folder(tmp_path / ".reflow")
    return in_bucket(request.getfixturevalue("minio"))


@pytest.fixture
def site(tmp_path: Path, keeps: Keeps) -> Iterator[Site]:
    yield from ended(Site(tmp_path, keeps))


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    """A site on a folder, for what is the same with every store."""
    yield from ended(Site(tmp_path, in_folder(tmp_path / ".reflow")))


def ended(site: Site) -> Iterator[Site]:
    """At its end none of its processes is left, whatever the test came to."""
    try:
        yield site
    finally:
        site.kill_all()
