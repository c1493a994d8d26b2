"""The code that a run was started with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, overload

from reflow.client.errors import MetaflowNotFound
from reflow.client.tags import runtime_of
from reflow.store import layout, package
from reflow.store.flowstore import FlowStore
from reflow.store.values import Manifest

if TYPE_CHECKING:
    import tarfile
    from tempfile import TemporaryDirectory


class Code:
    """A run's code: the flow's file, and what was packaged beside it."""

    def __init__(self, store: FlowStore, manifest: Manifest) -> None:
        self._store = store
        self._manifest = manifest
        self._ref = manifest.code

    @property
    def script_name(self) -> str:
        """The flow's file, within the package or the image."""
        return self._ref.script

    @property
    def sha(self) -> str | None:
        """The package's hash, None where the code is in the image."""
        return self._ref.sha256

    @property
    def path(self) -> str | None:
        """The package's full name in the store, None where the code is in the image."""
        if self._ref.sha256 is None:
            return None
        root = self._store.objects.url.partition("?")[0].rstrip("/")
        return f"{root}/{layout.code(self._store.flow, self._ref.sha256)}"

    @property
    def info(self) -> dict[str, str]:
        """What is known of it, under Metaflow's names."""
        made = self._manifest
        return {
            "script": self._ref.script,
            "flow_name": made.flow,
            "user": made.user,
            "runtime": runtime_of(made),
            "environment_type": "local",
            "python_version": made.python,
        }

    @property
    def flowspec(self) -> str:
        """The text of the flow's file. Raises MetaflowNotFound where the code is in an image."""
        with self.extract() as folder:
            return (Path(folder) / self._ref.script).read_text("utf-8")

    @property
    def tarball(self) -> tarfile.TarFile:
        """All files of the package, as a TarFile to read. Raises MetaflowNotFound where the code is in an image."""
        import io
        import tarfile

        buffer = io.BytesIO()
        with self.extract() as folder, tarfile.open(fileobj=buffer, mode="w") as made:
            for file in sorted(Path(folder).rglob("*")):
                if file.is_file():
                    made.add(file, file.relative_to(folder).as_posix())
        buffer.seek(0)
        return tarfile.open(fileobj=buffer)

    @overload
    def extract(self) -> TemporaryDirectory[str]: ...
    @overload
    def extract(self, folder: str | Path) -> Path: ...
    def extract(self, folder: str | Path | None = None) -> TemporaryDirectory[str] | Path:
        """Write the package's files below a folder, and return the flow's file there; without one, return a
        TemporaryDirectory that has them. Raises MetaflowNotFound where the code is in an image.
        """
        if self._ref.sha256 is None:
            raise MetaflowNotFound(
                f"The run's code isn't in the store: it is {self._ref.script} in the image."
            )
        data = self._store.code(self._ref.sha256)
        if folder is not None:
            return Path(package.unpack(data, self._ref.script, str(folder)))
        import tempfile

        made = tempfile.TemporaryDirectory(prefix="reflow-code-")
        package.unpack(data, self._ref.script, made.name)
        return made

    def __repr__(self) -> str:
        return f"<code {self._ref.script}>"
