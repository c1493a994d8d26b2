"""The same cluster by kind, where a Docker engine answers. kind itself is built from its Go module."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.cluster import build, cluster, images, minio, settings
from tests.cluster.shell import ClusterError, run, works

_NAME = "reflow"
_MARK = "kind"  # a file of that name in the state folder says that the cluster there is kind's


def usable() -> bool:
    """REFLOW_CLUSTER=kind or =own decides; else kind, if Docker answers and no cluster of our own is up."""
    wanted = os.environ.get("REFLOW_CLUSTER", "")
    if wanted not in ("", "kind", "own"):
        raise ClusterError(f"REFLOW_CLUSTER is {wanted!r}; it can be kind or own")
    if wanted:
        return wanted == "kind"
    if is_up():
        return True
    return cluster.owner() is None and bool(shutil.which("docker")) and works(["docker", "info"])


def is_up() -> bool:
    return (settings.state() / _MARK).exists()


def _kind(*args: str | Path, timeout: float = 600) -> str:
    return run([build.get(build.kind()) / "kind", *args], timeout=timeout)


def up(nodes: int) -> None:
    if nodes != 1 and not is_up():
        raise ClusterError("with kind, add nodes to kind-config.yaml")
    if is_up():
        return
    state = settings.state()
    state.mkdir(parents=True)
    settings.tools_bin().mkdir()
    for name, piece in (("kubectl", build.kubernetes()), ("helm", build.helm()), ("kind", build.kind())):
        (settings.tools_bin() / name).symlink_to(build.get(piece) / name)
    (state / _MARK).touch()
    config: list[str | Path] = [
        "--config",
        settings.REPO / "kind-config.yaml",
        "--kubeconfig",
        settings.kubeconfig(),
    ]
    _kind("create", "cluster", "--name", _NAME, *config, "--wait", "120s", timeout=900)
    run(["docker", "pull", "--quiet", settings.BASE_IMAGE_IN_KIND], timeout=600)
    run(["docker", "tag", settings.BASE_IMAGE_IN_KIND, settings.BASE_IMAGE])
    _kind("load", "docker-image", settings.BASE_IMAGE, "--name", _NAME)
    load(build.get(build.minio()) / "image.tar")
    key, secret = minio.deploy()
    minio.finish(key, secret, here="http://127.0.0.1:30900")


def down() -> None:
    _kind("delete", "cluster", "--name", _NAME)
    shutil.rmtree(settings.state())


def load(archive: Path) -> None:
    _kind("load", "image-archive", archive, "--name", _NAME)


def project_images(names: Iterable[str]) -> dict[str, str]:
    """Built by Docker from the same Containerfiles, on the base that they name."""
    tags = {}
    for name in names:
        tags[name] = tag = images.tag(name)
        file = settings.REPO / name / "Containerfile"
        run(["docker", "build", "--quiet", "--file", file, "--tag", tag, settings.REPO], timeout=1200)
        _kind("load", "docker-image", tag, "--name", _NAME)
    return tags


def environment() -> dict[str, str]:
    access = minio.access()
    if access is None:
        raise ClusterError("the kind cluster isn't up: `make cluster`")
    return cluster.describe(access)
