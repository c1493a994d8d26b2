"""Why a run can't go on: for good, or for now. Both end up in its conditions, in words."""

from __future__ import annotations


class Refused(Exception):
    """The run can't begin, and trying again won't help: it becomes Failed for `reason`. No run id is used."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(message)


class Held(Exception):
    """Something is in the way for now: condition `condition` is false for `reason`; tried again after
    `after` s.
    """

    def __init__(self, condition: str, reason: str, message: str, *, after: float) -> None:
        self.condition = condition
        self.reason = reason
        self.message = message
        self.after = after
        super().__init__(message)
