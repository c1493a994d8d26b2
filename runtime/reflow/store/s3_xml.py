"""The few XML answers and questions of S3's interface.

A task's process rarely gets more than a refusal to read, so the parser is imported when there's something for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reflow.store.objects import ObjectInfo
from reflow.values.dataclass import dataclass

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NO_SUCH_KEY = b"<Code>NoSuchKey</Code>"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing. Keys and folders are the server's, with the store's prefix."""

    objects: list[ObjectInfo]
    folders: list[str]
    next: str | None


def parse_page(body: bytes) -> Page:
    root = _parse(body)
    objects = [
        ObjectInfo(_text(item, "Key"), int(_text(item, "Size")), parse_time(_text(item, "LastModified")))
        for item in root.findall("Contents")
    ]
    folders = [_text(item, "Prefix") for item in root.findall("CommonPrefixes")]
    more = _text(root, "IsTruncated") == "true"
    return Page(objects, folders, _text(root, "NextContinuationToken") if more else None)


def parse_time(text: str) -> float:
    """`2026-11-22T18:56:51.177Z` in seconds since the epoch."""
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def parse_error(body: bytes) -> tuple[str, str]:
    """Code and message; empty where the answer says none."""
    if _NO_SUCH_KEY in body:  # what a task that asks whether it has a result is told
        return "NoSuchKey", ""
    from xml.etree import ElementTree

    try:
        root = _parse(body)
    except ElementTree.ParseError:
        return "", ""
    return _text(root, "Code"), _text(root, "Message")


def parse_text(body: bytes, name: str) -> str:
    """The text of one element, such as UploadId."""
    return _text(_parse(body), name)


def parse_texts(body: bytes, names: Iterable[str]) -> list[str]:
    """The texts of elements anywhere in the answer."""
    root = _parse(body)
    return [next((e.text or "" for e in root.iter(name)), "") for name in names]


def delete_request(names: Iterable[str]) -> bytes:
    objects = "".join(f"<Object><Key>{_escaped(name)}</Key></Object>" for name in names)
    return f"<Delete><Quiet>true</Quiet>{objects}</Delete>".encode()


def parse_delete_errors(body: bytes) -> list[tuple[str, str, str]]:
    """Key, code and message of what couldn't be deleted."""
    items = _parse(body).findall("Error") if body else []
    return [(_text(item, "Key"), _text(item, "Code"), _text(item, "Message")) for item in items]


def complete_request(etags: Iterable[str]) -> bytes:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{_escaped(etag)}</ETag></Part>"
        for number, etag in enumerate(etags, 1)
    )
    return f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _parse(body: bytes) -> Element:
    """The root, with the namespace taken off all names: servers disagree on it."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(body)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _text(element: Element, name: str) -> str:
    return element.findtext(name) or ""
