"""What the file system's refusal means for a store in a folder, in words."""

from __future__ import annotations

import errno

from reflow.values.errors import StoreError, StoreRefused, StoreUnreachable

_REFUSED = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}
)
_WHAT_TO_DO = {
    errno.EACCES: "Give your user the right to it, or choose another store.",
    errno.EPERM: "Give your user the right to it, or choose another store.",
    errno.EROFS: "The file system is read-only; choose another store.",
    errno.ENOSPC: "The disk is full; free some space and try again.",
    errno.EDQUOT: "Your quota is used up; free some space and try again.",
    errno.ENOTDIR: "Something else is where a folder should be; choose another store.",
}


def explain(error: OSError, path: str) -> StoreError:
    """The error in words. Whether trying again may help decides its class."""
    refused = error.errno in _REFUSED
    what_to_do = _WHAT_TO_DO.get(error.errno or 0, "Choose another store." if refused else "Try again later.")
    text = f"The store's {path} can't be used: {error.strerror or error}. {what_to_do}"
    return StoreRefused(text) if refused else StoreUnreachable(text)
