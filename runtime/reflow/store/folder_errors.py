"""What the file system's refusal means for a store in a folder, in words."""

from __future__ import annotations

import errno

from reflow.values.errors import StoreError, StoreRefused, StoreUnreachable

_REFUSED = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ENOSPC,  # somebody has to make room: until then it's the same again
        errno.EDQUOT,
        errno.EFBIG,
    }
)
_WHAT_TO_DO = {
    errno.EACCES: "Give your user the right to it, or choose another store.",
    errno.EPERM: "Give your user the right to it, or choose another store.",
    errno.EROFS: "The file system is read-only; choose another store.",
    errno.ENOSPC: "The disk is full: free some space, then try again or resume.",
    errno.EDQUOT: "Your quota is used up: free some space, then try again or resume.",
    errno.EFBIG: "The limit on the size of files (`ulimit -f`) is too low for what is to be written: raise it.",
    errno.ENOTDIR: "Something else is where a folder should be; choose another store.",
}


def explain(error: OSError, path: str, what: str = "The store's {} can't be used") -> StoreError:
    """The error in words. Whether trying again may help decides its class. `what`: what can't be done, with the path's
    place in it."""
    refused = error.errno in _REFUSED
    what_to_do = _WHAT_TO_DO.get(error.errno or 0, "Choose another store." if refused else "Try again later.")
    text = f"{what.format(path)}: {error.strerror or error}. {what_to_do}"
    return StoreRefused(text) if refused else StoreUnreachable(text)
