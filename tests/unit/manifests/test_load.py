from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from reflow.manifests.load import load, load_text
from reflow.values.errors import UsageError


def value(text: str) -> Any:
    return load_text(f"value: {text}\n", "x.yaml")[0].object["value"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-3", 0.001),
        ("1e3", 1000),
        ("1.0", 1),
        (".5", 0.5),
        ("-2.5", -2.5),
        ("017", 15),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("09", 9),
        ("-0", 0),
        ("2026-11-22", "2026-11-22"),
        ("2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z"),
        ("1:30", "1:30"),
        ("yes", True),
        ("n", False),
        ("=", "="),
        ("~", None),
        ("'1'", "1"),
        ("12345678901234567890123", 1.2345678901234568e22),
        ("{1: a, true: b, 1.5: c}", {"1": "a", "true": "b", "1.5": "c"}),
        ("{<<: {a: 1, b: 2}, a: 3}", {"a": 3, "b": 2}),
    ],
)
def test_a_scalar_means_what_kubectl_takes_it_for(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_the_documents_of_a_file_come_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("kind: A\n---\n# nothing\n---\n\nkind: B\nmetadata: {name: b}\n")
    first, second = load(str(file))
    assert (first.line, second.line) == (1, 6)
    assert second.where == f"{file}:6 (B b)"


def test_json_is_read_as_well() -> None:
    assert load_text('{"kind": "A", "spec": {"x": 1.5e2}}', "x.json")[0].object["spec"] == {"x": 150}


def test_a_list_is_unfolded() -> None:
    found = load_text("kind: List\nitems: [{kind: A}, {kind: B}]\n", "x.yaml")
    assert [document.object["kind"] for document in found] == ["A", "B"]


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("kind: A\n"))
    assert load("-")[0].where == "standard input:1 (A)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "3: it is not YAML: the key 'a' is there twice; the second one would hide"),
        ("a: {n: 5}\n", "1: it is not YAML: the key n is short for false; put it in quotes."),
        ("a: [1\nb: 2\n", "2: it is not YAML: expected ',' or ']', but got ':'."),
        ("a: .inf\n", "1: it is not YAML: .inf can't be written in JSON, which manifests are sent in."),
        ("a: {[1]: 2}\n", "1: it is not YAML: a key must be text."),
        ("a: !!python/object:os.system {}\n", "1: it is not YAML: could not determine a constructor"),
        ("just text\n", "1: a manifest is an object with apiVersion, kind, metadata and spec."),
        ("# nothing\n", " there is no manifest in it."),
        ("kind: List\nitems: [1]\n", "1 (List): every entry of items must be an object."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_text(text, "x.yaml")
    assert str(caught.value).startswith(f"x.yaml:{message}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml: the file can't be read: No such file"):
        load(str(tmp_path / "none.yaml"))


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not text in UTF-8"):
        load(str(tmp_path / "x.yaml"))
