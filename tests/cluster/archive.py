"""An image with one layer, written as the archive that every container tool loads."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import settings


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def write(target: Path, tag: str, layer: Path, config: Mapping[str, object]) -> None:
    """`layer` is a tar of the whole root file system; it is moved into the archive."""
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    image = {
        "architecture": settings.go_arch(),
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created_by": "tests/cluster"}],
    }
    content = json.dumps(image, sort_keys=True).encode()
    name = f"{hashlib.sha256(content).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [tag], "Layers": [f"{digest}.tar"]}]
    with tarfile.open(target, "w") as tar:
        _add(tar, name, content)
        _add(tar, "manifest.json", json.dumps(manifest).encode())
        tar.add(layer, f"{digest}.tar")
    layer.unlink()


def write_program(target: Path, tag: str, program: Path, config: Mapping[str, object]) -> None:
    """An image that holds one static program and a folder /tmp, and nothing else."""
    layer = target.with_name("layer.tar")
    with tarfile.open(layer, "w") as tar:
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)
        member = tarfile.TarInfo(program.name)
        member.mode, member.size = 0o755, program.stat().st_size
        with program.open("rb") as file:
            tar.addfile(member, file)
    write(target, tag, layer, {"Entrypoint": [f"/{program.name}"], "WorkingDir": "/", **config})
