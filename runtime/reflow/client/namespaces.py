"""The namespace: a tag that a run must have for the client to show it. None, as it is at first, shows all.

Metaflow starts in the namespace of the user. Here a run that failed in the cluster and is looked at on a
laptop is the everyday case, and whoever may read a store sees all of it anyhow: so nothing is hidden
unless it's asked for.
"""

from __future__ import annotations

_chosen: str | None = None


def namespace(tag: str | None) -> str | None:
    """From now on show only runs with this tag, such as `user:ann`; None shows all. Returns it."""
    global _chosen
    _chosen = tag or None
    return _chosen


def get_namespace() -> str | None:
    """The namespace now."""
    return _chosen


def default_namespace() -> str | None:
    """Back to the namespace of the start, which is None: all runs."""
    return namespace(None)
