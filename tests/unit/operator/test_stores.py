"""A namespace's store, by its Secret."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from reflow.store.folder import FolderStore
from reflow.store.objects import ObjectStore
from reflow.store.s3_url import Credentials, S3Address
from reflow.values.errors import StoreError, StoreRefused, StoreUnreachable, StoreUnsuitable
from reflow_operator.constants import Reason
from reflow_operator.held import Held
from reflow_operator.stores import SecretStores, address_of
from tests.unit.operator.fakecluster import FakeCluster

SECRETS = "/api/v1/namespaces/team/secrets"


def secret(**values: str) -> dict[str, Any]:
    data = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    return {"metadata": {"name": "reflow-store", "namespace": "team"}, "data": data}


FULL = secret(endpoint="http://minio:9000", bucket="b", prefix="/flows/", accessKey="k", secretKey="s")


def test_a_secret_says_where_the_store_is_and_the_namespace_is_part_of_its_root() -> None:
    assert address_of(FULL, "team") == S3Address(
        "b", "flows/team", "http://minio:9000", "us-east-1", Credentials("k", "s")
    )


def test_without_keys_the_surroundings_credentials_count() -> None:
    assert address_of(secret(bucket="b"), "team").credentials is None


@pytest.mark.parametrize("wrong", [secret(endpoint="http://x"), secret(bucket="b", endpoint="minio:9000")])
def test_a_secret_that_does_not_say_is_told_without_its_keys(wrong: dict[str, Any]) -> None:
    with pytest.raises(Held) as raised:
        address_of(wrong, "team")
    assert raised.value.reason == Reason.STORE_UNSUITABLE
    assert "reflow-store" in raised.value.message


class Opened:
    """Counts how often a store was opened."""

    def __init__(self, root: Path, error: StoreError | None = None) -> None:
        self.root = root
        self.error = error
        self.addresses: list[S3Address] = []

    def __call__(self, address: S3Address) -> ObjectStore:
        self.addresses.append(address)
        store = FolderStore(self.root)
        if self.error:
            error = self.error

            def refuse() -> None:
                raise error

            store.check = refuse  # type: ignore[method-assign]
        return store


def test_a_store_is_opened_once_and_anew_when_its_secret_changed(tmp_path: Path) -> None:
    opened = Opened(tmp_path)

    async def script() -> None:
        cluster = FakeCluster()
        cluster.apply(SECRETS, FULL)
        stores = SecretStores(cluster, 2, opened)
        first = await stores.flow("team", "F")
        assert await stores.flow("team", "F") is first
        assert len(cluster.requests) == 1
        cluster.change(f"{SECRETS}/reflow-store", lambda obj: obj["data"].update(bucket="Yw=="))
        stores.forget("team")
        assert await stores.flow("team", "F") is not first
        stores.forget("team")
        await stores.flow("team", "F")
        stores.close()

    asyncio.run(script())
    assert [address.bucket for address in opened.addresses] == ["b", "c"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StoreUnreachable("no answer"), Reason.STORE_UNAVAILABLE),
        (StoreRefused("wrong key"), Reason.STORE_REFUSED),
        (StoreUnsuitable("no conditional put"), Reason.STORE_UNSUITABLE),
    ],
)
def test_a_store_that_cannot_be_used_is_told_with_its_own_words(
    tmp_path: Path, error: StoreError, reason: str
) -> None:
    async def script() -> None:
        cluster = FakeCluster()
        cluster.apply(SECRETS, FULL)
        stores = SecretStores(cluster, 2, Opened(tmp_path, error))
        with pytest.raises(Held) as raised:
            await stores.flow("team", "F")
        assert (raised.value.reason, raised.value.message) == (reason, str(error))
        stores.close()

    asyncio.run(script())


def test_a_namespace_without_the_secret_is_told_what_to_create(tmp_path: Path) -> None:
    async def script() -> None:
        stores = SecretStores(FakeCluster(), 2, Opened(tmp_path))
        with pytest.raises(Held) as raised:
            await stores.flow("team", "F")
        assert raised.value.reason == Reason.STORE_MISSING
        assert "accessKey" in raised.value.message
        stores.close()

    asyncio.run(script())
