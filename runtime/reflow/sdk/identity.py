"""Who works here."""

from __future__ import annotations

import os


def user_name() -> str:
    """As Metaflow finds it: METAFLOW_USER, SUDO_USER, USERNAME, USER; else the password database."""
    for name in ("REFLOW_USER", "METAFLOW_USER", "SUDO_USER", "USERNAME", "USER"):
        if os.environ.get(name):
            return os.environ[name]
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"
