"""The S3 class: on a run's own store in a folder, and on a bucket of a real MinIO."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reflow.sdk.s3 import (
    S3,
    MetaflowS3AccessDenied,
    MetaflowS3InvalidObject,
    MetaflowS3InvalidRange,
    MetaflowS3NotFound,
    MetaflowS3URLException,
    RangeInfo,
    S3GetObject,
    S3PutObject,
)
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
        assert sorted(o.key for o in s3.list_recursive(["a/"])) == ["1 ü+.txt", "b/2"]
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


@pytest.mark.minio
def test_a_part_of_an_object_and_what_is_told_of_it(root: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    told = {"by": "ann", "ünï": [1]}
    with S3(s3root=root) as s3, (tmp_path / "file").open("rb") as file:
        s3.put("text", "one", content_type="text/plain", metadata=told)
        s3.put_many([S3PutObject("other", b"two", metadata=told), ("opened", file)])
        assert s3.put_many([("text", "never"), ("new", "x")], overwrite=False) == [("new", f"{root}/new")]
        s3.put_files([S3PutObject("filed", path=str(tmp_path / "file"), content_type="a/b")])
        found = s3.get("text")
        assert (found.content_type, found.metadata, found.text) == ("text/plain", told, "one")
        assert found.range_info == RangeInfo(3, 0, 3)
        assert s3.info("other").metadata == told
        assert s3.info("filed").content_type == "a/b"
        assert (s3.info("opened").metadata, s3.info("opened").size) == (None, 10)
        parts = s3.get_many(
            [S3GetObject("filed", 2, 3), S3GetObject("filed", 8), S3GetObject("filed", None, -4)]
        )
        assert [(one.text, one.range_info) for one in parts] == [
            ("234", RangeInfo(10, 2, 3)),
            ("89", RangeInfo(10, 8, 2)),
            ("6789", RangeInfo(10, 6, 4)),
        ]
        assert not s3.get("filed", return_info=False).has_info
        with pytest.raises(MetaflowS3InvalidRange):
            s3.get(S3GetObject("filed", 10, 1))
    with S3(s3root=f"{root}/text") as s3:
        assert (s3.get().text, s3.get().key) == ("one", f"{root}/text")


@pytest.mark.minio
def test_listed_and_fetched_by_prefix_keys_follow_the_prefix(root: str) -> None:
    with S3(s3root=root) as s3:
        s3.put_many([(key, key) for key in ("a/0", "a/b/1", "a/c/d/2", "f/3", "g")])
        assert [(o.key, o.exists) for o in s3.list_paths(["a", "f"])] == [
            ("0", True),
            ("b", False),
            ("c", False),
            ("3", True),
        ]
        assert [(o.key, o.exists) for o in s3.list_paths()] == [("a", False), ("f", False), ("g", True)]
        assert [(o.prefix, o.key) for o in s3.get_recursive(["f/", "a/b"])] == [
            (f"{root}/f/", "3"),
            (f"{root}/a/b", "1"),
        ]
        assert [o.key for o in s3.get_all()] == ["a/0", "a/b/1", "a/c/d/2", "f/3", "g"]
        copies = [o.path for o in s3.get_all(return_info=True)]
    assert not any(Path(str(copy)).exists() for copy in copies)


@pytest.mark.minio
def test_what_cannot_be_is_told_by_the_errors_that_metaflows_users_catch(root: str) -> None:
    with S3() as s3:
        for refused, error in (
            (lambda: s3.get("suffix"), MetaflowS3URLException),
            (lambda: s3.get("s3://no-path"), MetaflowS3URLException),
            (lambda: s3.get_many(["suffix"]), MetaflowS3URLException),
            (lambda: s3.get_all(), MetaflowS3URLException),
            (lambda: s3.put_many([("suffix", "x")]), MetaflowS3URLException),
            (lambda: s3.put("a", 1), MetaflowS3InvalidObject),  # type: ignore[arg-type]
            (lambda: s3.put_files([("a", "/no/such/file")]), MetaflowS3NotFound),
            (lambda: s3.get("s3://nobodys-bucket/x"), MetaflowS3AccessDenied),
            (lambda: s3.info(f"{root}/nowhere"), MetaflowS3NotFound),
            (lambda: S3(s3root="/a/folder"), MetaflowS3URLException),
            (lambda: S3(run=object()), MetaflowS3URLException),
        ):
            with pytest.raises(error):
                refused()
    with S3(s3root=root, role="taken", inject_failure_rate=0) as s3, pytest.raises(MetaflowS3URLException):
        s3.get("s3://some/other")


def test_a_folder_is_refused_where_files_are_uploaded(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        S3(s3root="s3://never/asked") as s3,
        pytest.raises(MetaflowS3InvalidObject, match=f"{tmp_path} is a folder: put_files uploads files"),
    ):
        s3.put_files([("a", str(tmp_path / "file")), ("b", str(tmp_path))])


def test_a_run_keeps_files_beside_its_data(each_way: Laptop) -> None:
    script = each_way.flow(
        "Keeps_All",
        """
    @step
    def start(self):
        with S3(run=self) as s3:
            self.url = s3.put("notes.txt", "written")
            s3.put(".hidden/my note_1 ü.txt", b"0123456789", content_type="text/plain", metadata={"by": "me"})
        self.next(self.end)

    @step
    def end(self):
        from reflow.sdk.s3 import S3GetObject
        with S3(run=self) as s3:
            print(s3.get("notes.txt").text, [o.key for o in s3.list_paths()], [o.key for o in s3.list_recursive()])
            found = s3.get(S3GetObject(".hidden/my note_1 ü.txt", 2, 3))
            print(found.text, found.range_info[0], found.content_type, found.metadata)
            s3.put(found.key, "changed")
            print(s3.info(found.key).metadata, s3.info(found.key).content_type, s3.get(found.key).text)
    """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    keys = "['.hidden', 'notes.txt'] ['.hidden/my note_1 ü.txt', 'notes.txt']"
    for line in (f"written {keys}", "234 10 text/plain {'by': 'me'}", "None binary/octet-stream changed"):
        assert line in played.said
