"""An S3 server for as long as tests need it, with an empty bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.store import minio_server, versity_server
from tests.contract.store.minio_server import Server


@dataclass(frozen=True)
class Kind:
    """`program`: where it is, None where it isn't; `how_to_get`: what to do then."""

    program: Callable[[], str | None]
    start: Callable[[str, Path], Server]
    how_to_get: str


MINIO = Kind(minio_server.program, minio_server.start, minio_server.HOW_TO_GET)
VERSITY = Kind(versity_server.program, versity_server.start, versity_server.HOW_TO_GET)


@contextmanager
def serving(kind: Kind, folder: Path, bucket: str) -> Iterator[Server]:
    """Its data are in `folder`. Where there is no such program, the test is skipped."""
    program = kind.program()
    if program is None:
        pytest.skip(kind.how_to_get)
    server = kind.start(program, folder)
    try:
        server.make_bucket(bucket)
        yield server
    finally:
        server.stop()
