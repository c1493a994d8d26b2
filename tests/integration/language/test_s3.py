"""The S3 class: on a run's own store in a folder, and on a bucket of a real MinIO."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reflow.sdk.s3 import S3
from reflow.values.errors import NotFound, UsageError
from tests.contract.store import minio_server
from tests.contract.store.serving import MINIO, serving
from tests.integration.local.laptop import Laptop


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with serving(MINIO, tmp_path_factory.mktemp("minio"), "anybody") as running:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", minio_server.KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", minio_server.SECRET)
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield "s3://anybody/some where"


@pytest.mark.minio
def test_objects_of_a_bucket_are_written_listed_and_read(root: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from a file")
    with S3(s3root=root) as s3:
        s3.put_many([("a/1 ü+.txt", "one"), ("a/b/2", b"two")])
        s3.put_files([("3", str(tmp_path / "file"))])
        assert s3.get("a/1 ü+.txt").text == "one"
        assert [o.blob for o in s3.get_many(["3", "a/b/2"])] == [b"from a file", b"two"]
        assert sorted((o.key, o.exists) for o in s3.list_paths()) == [("3", True), ("a", False)]
        assert sorted(o.key for o in s3.list_recursive(["a/"])) == ["a/1 ü+.txt", "a/b/2"]
        assert sorted(str(o.text) for o in s3.get_all()) == ["from a file", "one", "two"]
        s3.put("3", "changed", overwrite=False)
        assert s3.info("3").size == len("from a file")
        assert not s3.get("nowhere", return_missing=True).exists
        with pytest.raises(NotFound, match="nowhere"):
            s3.get("nowhere")
    with S3() as s3:
        assert s3.get(f"{root}/3").text == "from a file"
        with pytest.raises(UsageError, match="whole addresses"):
            s3.get("3")


def test_a_run_keeps_files_beside_its_data(each_way: Laptop) -> None:
    script = each_way.flow(
        "Keeps",
        """
    @step
    def start(self):
        with S3(run=self) as s3:
            self.url = s3.put("notes.txt", "written")
        self.next(self.end)

    @step
    def end(self):
        with S3(run=self) as s3:
            print(s3.get("notes.txt").text, [o.key for o in s3.list_paths()])
    """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "written ['notes.txt']" in played.said
