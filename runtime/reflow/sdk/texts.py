"""What scripts import from `metaflow.util`: small functions on texts and names."""

from __future__ import annotations

from typing import Any

from reflow.sdk.identity import user_name

__all__ = ["get_username", "is_stringish", "resolve_identity", "to_bytes", "to_unicode"]


def is_stringish(value: Any) -> bool:
    """Whether it's a text, or bytes."""
    return isinstance(value, str | bytes)


def to_unicode(value: Any) -> str:
    """As text: bytes are read as UTF-8, all else as `str` shows it."""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def to_bytes(value: Any) -> bytes:
    """As bytes: texts in UTF-8, all else as `str` shows it."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8")


def get_username() -> str:
    """Who works here."""
    return user_name()


def resolve_identity() -> str:
    """Whose namespace is used where none is named: `user:<name>`."""
    return f"user:{user_name()}"
