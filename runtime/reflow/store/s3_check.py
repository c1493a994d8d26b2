"""Proving that a server does what Reflow relies on."""

from __future__ import annotations

import os

from reflow.store import s3_errors
from reflow.store.objects import ObjectStore
from reflow.store.s3_url import S3Address


def check(store: ObjectStore, address: S3Address) -> None:
    """Put, put if absent, get, list and delete an object below `check/`. Raises StoreError; leaves
    nothing behind.
    """
    key = f"check/{os.urandom(8).hex()}"
    first = store.put_if_absent(key, b"1")
    try:
        second = store.put_if_absent(key, b"2")
        if not first or second or store.get(key) != b"1" or [i.key for i in store.list(key)] != [key]:
            raise s3_errors.unsuitable(address)
    finally:
        store.delete([key])
