"""Bytes on their way into a blob: hashed as they come, whatever pieces they come in."""

from __future__ import annotations

import errno
from hashlib import sha256
from pathlib import Path
from pickle import PickleBuffer

import pytest

from reflow.store import layout
from reflow.store.content import APART, Content
from reflow.store.folder import FolderStore
from reflow.values.errors import StoreRefused


def test_big_and_small_pieces_are_hashed_and_kept_in_their_order(tmp_path: Path) -> None:
    pieces: list[bytes | memoryview | PickleBuffer] = [
        b"head",
        PickleBuffer(b"buffer" * 10),
        PickleBuffer(b"c" * APART),
        b"a" * APART,
        b"between",
        memoryview(bytearray(b"b" * (APART + 1))),
        b"tail",
    ]
    store = FolderStore(tmp_path)
    with Content(store) as content:
        for piece in pieces:
            content.write(piece)
        content.store("F")
    whole = b"".join(bytes(piece) for piece in pieces)
    assert (content.sha256, content.size) == (sha256(whole).hexdigest(), len(whole))
    assert store.get(layout.blob("F", content.sha256)) == whole


def test_a_disk_that_fills_up_under_a_big_piece_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Content, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Content, "_append", full)
    with Content(FolderStore(tmp_path)) as content, pytest.raises(StoreRefused, match="No space left"):
        content.write(b"x" * APART)
