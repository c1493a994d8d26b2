"""What a script is told that asks which Metaflow it runs with."""

from __future__ import annotations

LIKE = "2.19.39"  # whose behaviour Reflow's is compared with


def get_version(public: bool = False) -> str:
    """A version of Metaflow's, so that scripts compare it as they are used to; Reflow's own is behind the `+`."""
    from reflow import __version__

    return LIKE if public else f"{LIKE}+reflow{__version__}"
