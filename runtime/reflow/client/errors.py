"""What the client can't find, under the names that Metaflow's users catch."""

from __future__ import annotations

from reflow.values.errors import NotFound, ReflowError

MetaflowNotFound = NotFound


class MetaflowInvalidPathspec(ReflowError):
    """Not the name of such an object: a run's, say, is `Flow/run`."""


class MetaflowNamespaceMismatch(ReflowError):
    """The run isn't in the namespace that was chosen with `namespace(…)`."""
