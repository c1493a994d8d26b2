"""Why an environment can't be made."""

from __future__ import annotations

from reflow.values.errors import ReflowError


class Unmakeable(ReflowError):
    """An environment that can't be resolved or made: the reason, in the words of who said it."""
