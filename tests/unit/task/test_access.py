"""Opening the store with the keys of a mounted Secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reflow.store.folder import FolderStore
from reflow.store.s3_slim import SlimS3
from reflow.task.access import Secret, open_task_store
from reflow.values.errors import UsageError


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "secret"
    folder.mkdir()
    files = {
        "endpoint": "http://10.0.0.1:9000",
        "bucket": "flows",
        "prefix": "/team/",
        "region": "eu-1",
        "accessKey": "key\n",
        "secretKey": "hush\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    monkeypatch.setenv("REFLOW_STORE_SECRET", str(folder))
    monkeypatch.setenv("REFLOW_NAMESPACE", "prod")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    return folder


def test_the_secret_names_the_store_where_the_task_does_not(secret: Path) -> None:
    store = open_task_store("")
    assert isinstance(store, SlimS3)
    assert store.url == "s3://flows/team/prod?endpoint=http://10.0.0.1:9000&region=eu-1"


def test_the_secrets_keys_stay_out_of_the_environment(secret: Path) -> None:
    found = Secret.read(str(secret)).environment()
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]) == ("key", "hush")
    open_task_store("s3://flows/team/prod?endpoint=http://10.0.0.1:9000")
    assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_a_secret_without_a_bucket_is_told(secret: Path) -> None:
    (secret / "bucket").unlink()
    with pytest.raises(UsageError, match="names no bucket"):
        open_task_store("")


def test_a_folder_needs_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REFLOW_STORE_SECRET", raising=False)
    assert isinstance(open_task_store(str(tmp_path / "store")), FolderStore)
    with pytest.raises(UsageError, match="no store"):
        open_task_store("")
