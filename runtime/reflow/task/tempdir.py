"""`current.tempdir`: a folder of the task's own, made when it's first asked for and removed after its end."""

from __future__ import annotations


class TaskFolder:
    """At most one folder."""

    def __init__(self) -> None:
        self._path: str | None = None

    def path(self) -> str:
        """Makes the folder the first time."""
        if self._path is None:
            import tempfile  # slow to import, and rarely needed

            self._path = tempfile.mkdtemp(prefix="reflow-")
        return self._path

    def remove(self) -> None:
        """Removes what's there; what can't be removed stays."""
        if self._path is not None:
            import shutil

            shutil.rmtree(self._path, ignore_errors=True)
