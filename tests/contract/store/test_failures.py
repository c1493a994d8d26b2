"""Stores that can't be used say so in a sentence, and trouble that passes is not even noticed."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from reflow.store.flowstore import FlowStore
from reflow.store.folder import FolderStore
from reflow.store.objects import ObjectStore
from reflow.store.s3_minio import MinioS3
from reflow.store.s3_slim import SlimS3
from reflow.store.s3_url import Credentials, S3Address
from reflow.values.errors import (
    NotFound,
    StoreError,
    StoreRefused,
    StoreUnreachable,
    StoreUnsuitable,
)
from tests.contract.store.conftest import BUCKET
from tests.contract.store.minio_server import KEY, SECRET, Server
from tests.contract.store.samples import FLOW, START, manifest, record
from tests.contract.store.troubled_wire import Trouble, proxy

Client = Callable[[S3Address], ObjectStore]
pytestmark = pytest.mark.minio
_numbers = count()


@pytest.fixture(params=[SlimS3, MinioS3])
def client(request: pytest.FixtureRequest) -> Client:
    found: Client = request.param
    return found


@pytest.fixture
def address(minio: Server) -> S3Address:
    return minio.address(BUCKET, f"failures-{os.getpid()}-{next(_numbers)}")


@pytest.fixture
def troubled(minio: Server, address: S3Address, client: Client) -> Iterator[tuple[ObjectStore, Trouble]]:
    with proxy(minio.endpoint) as (endpoint, trouble):
        yield client(replace(address, endpoint=endpoint)), trouble


def test_a_server_that_is_not_there_cannot_be_reached(client: Client, address: S3Address) -> None:
    store = client(replace(address, endpoint="http://127.0.0.1:9"))
    with pytest.raises(
        StoreUnreachable, match=r"can't be reached: http://127.0.0.1:9 gives no answer.*Check"
    ):
        store.check()


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        (Credentials("nobody", SECRET), r"doesn't know the access key.*AWS_ACCESS_KEY_ID"),
        (Credentials(KEY, "wrong"), r"secret key is wrong.*AWS_SECRET_ACCESS_KEY"),
        (Credentials(KEY, SECRET, "token"), "can't be used"),
    ],
)
def test_a_key_that_is_refused_says_which_to_check(
    client: Client, address: S3Address, keys: Credentials, why: str
) -> None:
    store = client(replace(address, credentials=keys))
    for use in (
        store.check,
        lambda: store.get("F/x"),
        lambda: store.put("F/x", b""),
        lambda: list(store.list("")),
    ):
        with pytest.raises(StoreRefused, match=why) as caught:
            use()
        assert SECRET not in str(caught.value)


def test_a_missing_bucket_is_named(client: Client, address: S3Address) -> None:
    store = client(replace(address, bucket="no-such-bucket"))
    for use in (store.check, lambda: store.get("F/x"), lambda: store.put_if_absent("F/x", b"")):
        with pytest.raises(StoreRefused, match="there is no bucket no-such-bucket"):
            use()


def test_no_keys_at_all_are_missed(
    client: Client, address: S3Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StoreRefused, match=r"needs an access key.*Set AWS_ACCESS_KEY_ID"):
        client(replace(address, credentials=None)).check()


def test_a_server_without_conditional_put_is_unsuitable(troubled: tuple[ObjectStore, Trouble]) -> None:
    store, trouble = troubled
    trouble.ignore_conditions = True
    with pytest.raises(StoreUnsuitable, match="If-None-Match"):
        store.check()
    assert list(store.list("")) == []


def test_a_busy_server_is_tried_again(troubled: tuple[ObjectStore, Trouble]) -> None:
    store, trouble = troubled
    for use in (
        lambda: store.put("F/x", b"1"),
        lambda: store.get("F/x"),
        lambda: store.stat("F/x"),
        lambda: list(store.list("")),
        lambda: store.put_if_absent("F/y", b"1"),
        lambda: store.delete(["F/x"]),
    ):
        trouble.busy = 2
        use()
    assert store.get("F/y") == b"1"


def test_a_server_that_stays_busy_is_given_up(troubled: tuple[ObjectStore, Trouble]) -> None:
    store, trouble = troubled
    trouble.busy = 1000
    with pytest.raises(StoreUnreachable):
        store.put("F/x", b"1")
    assert trouble.busy > 980


def test_a_lost_answer_to_a_commit_is_ones_own_success(troubled: tuple[ObjectStore, Trouble]) -> None:
    store, trouble = troubled
    flow = FlowStore(store, FLOW)
    run = flow.claim(manifest()).run
    trouble.lost_answers = 2
    mine = record(START)
    assert flow.commit(run, mine).nonce == mine.nonce
    assert flow.commit(run, record(START)).nonce == mine.nonce


def test_a_lost_answer_to_a_claim_leaves_no_gap(troubled: tuple[ObjectStore, Trouble]) -> None:
    store, trouble = troubled
    flow = FlowStore(store, FLOW)
    flow.claim(manifest())
    store.get(f"{FLOW}/runs/last")
    put, first = store.put_if_absent, True

    def lossy(key: str, data: bytes) -> bool:
        nonlocal first
        trouble.lost_answers, first = (1 if first else 0), False
        return put(key, data)

    store.put_if_absent = lossy  # type: ignore[method-assign]
    assert flow.claim(manifest()).run == "2"
    assert list(flow.runs()) == ["2", "1"]


def test_two_that_meet_at_a_conditional_put_try_again(troubled: tuple[ObjectStore, Trouble]) -> None:
    store, trouble = troubled
    trouble.conflicts = 5
    assert store.put_if_absent("F/x", b"1")
    trouble.conflicts = 5
    assert not store.put_if_absent("F/x", b"2")


def test_an_answer_that_breaks_off_goes_on_where_it_broke(troubled: tuple[ObjectStore, Trouble]) -> None:
    store, trouble = troubled
    data = os.urandom(5 << 20)
    store.put("F/x", data)
    trouble.requests.clear()
    trouble.cut = 2 << 20
    target = io.BytesIO()
    store.get_into("F/x", target)
    assert target.getvalue() == data
    assert len(trouble.requests) >= 3
    with store.open("F/x") as file:
        assert file.read() == data


# A folder


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Rights mean nothing to root, so these tests are somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, as_nobody: None) -> None:
    store = FolderStore(Path("/usr/share/reflow-test"))
    with pytest.raises(StoreRefused, match=r"/usr/share/reflow-test.*Permission denied.*another store"):
        store.check()
    with pytest.raises(StoreRefused):
        store.put("F/x", b"")
    with pytest.raises(StoreRefused):
        FlowStore(store, FLOW).dump(bytes(500_000), budget=0)
    with pytest.raises(NotFound):
        store.get("F/x")


def test_a_folder_in_a_folder_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="there is no folder"):
        FolderStore(tmp_path / "not" / "there").check()
    assert not (tmp_path / "not").exists()


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreRefused, match="Something else"):
        FolderStore(tmp_path / "store").check()
    assert (tmp_path / "store").read_text() == ""


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")

    def no_space(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reflow.store.folder.os.write", no_space)
        with pytest.raises(StoreRefused, match=r"No space left on device.*free some space"):
            store.put("F/x", b"1")
        with pytest.raises(StoreError):
            store.put_if_absent("F/x", b"1")
    assert list(store.list("")) == []
    assert list(store.scratch.iterdir()) == []


def test_a_file_system_without_links_is_unsuitable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("reflow.store.folder.os.link", no_links)
    with pytest.raises(StoreUnsuitable, match="no hard links"):
        FolderStore(tmp_path / "store").check()
    assert not (tmp_path / "store").exists()
