"""The code that a run was started with."""

from __future__ import annotations

from pathlib import Path

from reflow.client.errors import MetaflowNotFound
from reflow.store import package
from reflow.store.flowstore import FlowStore
from reflow.store.values import CodeRef


class Code:
    """A run's code: the flow's file, and what was packaged beside it."""

    def __init__(self, store: FlowStore, ref: CodeRef) -> None:
        self._store = store
        self._ref = ref

    @property
    def script_name(self) -> str:
        """The flow's file, within the package or the image."""
        return self._ref.script

    @property
    def sha(self) -> str | None:
        """The package's hash, None where the code is in the image."""
        return self._ref.sha256

    @property
    def flowspec(self) -> str:
        """The text of the flow's file. Raises MetaflowNotFound where the code is in an image."""
        import tempfile

        with tempfile.TemporaryDirectory(prefix="reflow-code-") as folder:
            return self.extract(folder).read_text("utf-8")

    def extract(self, folder: str | Path) -> Path:
        """Write the package's files below a folder; the flow's file there."""
        if self._ref.sha256 is None:
            raise MetaflowNotFound(
                f"The run's code isn't in the store: it is {self._ref.script} in the image."
            )
        return Path(package.unpack(self._store.code(self._ref.sha256), self._ref.script, str(folder)))

    def __repr__(self) -> str:
        return f"<code {self._ref.script}>"
