"""What the API server may answer, as exceptions.

::

    KubeError               status, reason and message of the API server
    ├── NotFound            404
    ├── AlreadyExists       409, on a create
    ├── Conflict            409, the object has changed meanwhile
    ├── Gone                410, the watch's resourceVersion is too old
    ├── Invalid             400 or 422: the object itself is wrong; final
    ├── Forbidden           403: a permission, a quota or an admission rule refuses it
    └── Retryable           429, 401, 5xx or no answer: the same again after `after` seconds
"""

from __future__ import annotations


class KubeError(Exception):
    """The API server's refusal. `message` is its own sentence."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status = status
        self.reason = reason
        self.message = message
        super().__init__(f"{message} ({status} {reason})" if status else message)


class NotFound(KubeError):
    """The object isn't there."""


class AlreadyExists(KubeError):
    """An object of this name is there already."""


class Conflict(KubeError):
    """The object has changed since it was read."""


class Gone(KubeError):
    """The watch's place in history is no longer kept: list again."""


class Invalid(KubeError):
    """The object is wrong; sending it again won't help."""


class Forbidden(KubeError):
    """A permission, a quota or an admission rule refuses it."""


class Retryable(KubeError):
    """Worth another try after `after` seconds."""

    def __init__(self, status: int, reason: str, message: str, *, after: float) -> None:
        self.after = after
        super().__init__(status, reason, message)


def from_response(status: int, reason: str, message: str, retry_after: str | None) -> KubeError:
    """The exception for an answer that isn't a success."""
    if status == 404:
        return NotFound(status, reason, message)
    if status == 409:
        return (AlreadyExists if reason == "AlreadyExists" else Conflict)(status, reason, message)
    if status == 410:
        return Gone(status, reason, message)
    if status in (400, 422):
        return Invalid(status, reason, message)
    if status == 403:
        return Forbidden(status, reason, message)
    if status in (401, 408, 429) or status >= 500:
        return Retryable(status, reason, message, after=_seconds(retry_after))
    return KubeError(status, reason, message)


def _seconds(retry_after: str | None) -> float:
    try:
        return max(0.0, min(float(retry_after or 1.0), 60.0))
    except ValueError:
        return 1.0
