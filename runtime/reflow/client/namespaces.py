"""The namespace: a tag that a run must have for the client to show it; None shows all.

At first it is the user's own, `user:<name>`; in a step, the one that the run was started with. Runs that nobody
started, such as those that a FlowRun asked for in the cluster, are in every user's.
"""

from __future__ import annotations

from reflow.sdk.currently import current
from reflow.sdk.identity import user_name

_USER = "user:"


class _Chosen:
    """What `namespace(…)` was last told; `is_chosen` is False until it was."""

    is_chosen = False
    tag: str | None = None


def namespace(ns: str | None) -> str | None:
    """From now on show only runs with this tag, such as `user:ann`; None shows all. Returns it."""
    _Chosen.is_chosen, _Chosen.tag = True, ns or None
    return _Chosen.tag


def get_namespace() -> str | None:
    """The namespace now."""
    return _Chosen.tag if _Chosen.is_chosen else default_namespace()


def default_namespace() -> str | None:
    """Back to the namespace of the start, which it returns."""
    started = current.namespace
    tag = f"{_USER}{user_name()}" if started is None else started
    return namespace(tag if tag != _USER else None)


def is_anybodys(namespace: str | None, user: str) -> bool:
    """Whether a run of this user ("" for nobody) is in a namespace whatever its tags are."""
    return namespace is None or (namespace.startswith(_USER) and not user)
