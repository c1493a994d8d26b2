"""The project's own images, built by its Containerfiles, and loading images into the nodes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cluster import build, node, settings, toolchain
from tests.cluster.shell import Arg, ClusterError, lock, run, say

_LOCK_FILE = "requirements/operator.lock"
_IGNORED = ("__pycache__",)
# What goes into which image: the Containerfiles say the same, in their own words.
_MADE_FROM: dict[str, tuple[str, ...]] = {
    "operator": ("operator/Containerfile", _LOCK_FILE, "crds", "runtime/reflow", "operator/reflow_operator"),
    "runtime": ("runtime/Containerfile", "runtime/reflow"),
}
PROJECT = tuple(_MADE_FROM)


def _files(part: str) -> Iterable[Path]:
    top = settings.REPO / part
    if top.is_file():
        yield top
    for folder, names, files in os.walk(top):
        names[:] = sorted(name for name in names if name not in _IGNORED)
        yield from (Path(folder, name) for name in sorted(files) if not name.endswith(".pyc"))


def tag(name: str) -> str:
    """Named by what it is made from, so that a tag never means two things."""
    digest = hashlib.sha256(str(build.base().folder().name).encode())
    for part in _MADE_FROM[name]:
        for file in _files(part):
            content = file.read_bytes()
            digest.update(f"{file.relative_to(settings.REPO)} {len(content)}\n".encode() + content)
    return f"localhost/reflow-{name}:{digest.hexdigest()[:16]}"


def _buildah(*args: str | Path, timeout: float = 600) -> str:
    """buildah with a store of its own, in a mount namespace of its own: it leaves some mounts behind."""
    where = settings.cache() / "buildah"
    words: list[Arg] = ["unshare", "--mount", "--propagation", "private", "--", "buildah"]
    words += ["--storage-driver", "overlay", "--root", where / "root", "--runroot", where / "run"]
    env = {**os.environ, "BUILDAH_ISOLATION": "chroot", "HOME": str(where), "TMPDIR": str(where / "tmp")}
    (where / "tmp").mkdir(parents=True, exist_ok=True)
    return run([*words, *args], timeout=timeout, env=env)


def _wheels() -> Path:
    """The wheels that the lock file names, fetched here: inside an image no proxy or certificate is known."""
    text = (settings.REPO / _LOCK_FILE).read_bytes()
    folder = settings.cache() / f"wheels-{hashlib.sha256(text).hexdigest()[:12]}"
    if not folder.is_dir():
        say("wheels: fetching what requirements/operator.lock names")
        new = folder.with_name(folder.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        machine = os.uname().machine
        platforms = [
            f"--platform=manylinux{kind}_{machine}" for kind in ("2014", "_2_17", "_2_28", "_2_34", "_2_36")
        ]
        target = ["--python-version=3.11", "--implementation=cp", *platforms, "--only-binary=:all:"]
        lock_file = settings.REPO / _LOCK_FILE
        fetch: list[Arg] = [
            "download",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--dest",
            new,
            *target,
            "-r",
            lock_file,
        ]
        run([*toolchain.pip(), *fetch], timeout=600)
        new.rename(folder)
    return folder


def _build(name: str, image: str, target: Path) -> None:
    base = build.get(build.base()) / "image.tar"
    known = _buildah("images", "--format", "{{.Name}}:{{.Tag}} {{.ID}}").split()
    mark = settings.cache() / "buildah" / "base"
    if settings.BASE_IMAGE not in known or not mark.exists() or mark.read_text() != str(base):
        _buildah("pull", "--quiet", f"docker-archive:{base}")
        mark.write_text(str(base))
    args: list[Arg] = ["--build-arg", f"BASE={settings.BASE_IMAGE}", "--pull-never"]
    if name == "operator":
        args += ["--volume", f"{_wheels()}:/wheels:ro", "--build-arg"]
        args += ["PIP_OPTIONS=--no-index --find-links=/wheels --disable-pip-version-check"]
    file = settings.REPO / name / "Containerfile"
    args += ["--ignorefile", f"{file}.dockerignore", "--file", file]
    args += ["--tag", f"localhost/reflow-{name}:build", settings.REPO]
    _buildah("build", "--isolation", "chroot", "--layers", "--quiet", *args)
    new = target.with_name(target.name + ".new")
    new.unlink(missing_ok=True)
    _buildah("push", "--quiet", f"localhost/reflow-{name}:build", f"docker-archive:{new}:{image}")
    new.rename(target)


def project(names: Iterable[str] = PROJECT) -> dict[str, Path]:
    """Build what changed; the archives by the images' tags."""
    if os.geteuid():
        raise ClusterError("images are built as root")
    folder = settings.cache() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    built: dict[str, Path] = {}
    with lock(settings.cache() / "images.lock", timeout=900, what="images"):
        for name in names:
            image = tag(name)
            archive = folder / f"{image.rpartition('/')[2].replace(':', '-')}.tar"
            if not archive.exists():
                older = sorted(folder.glob(f"reflow-{name}-*"), key=lambda file: file.stat().st_mtime)
                for old in older[:-4]:
                    old.unlink()
                _build(name, image, archive)
            built[image] = archive
    return built


def basic() -> list[Path]:
    """What every node has from the start."""
    return [build.get(piece) / "image.tar" for piece in (build.pause(), build.base(), build.minio())]


def _loaded_file() -> Path:
    return settings.state() / "images.json"


def loaded() -> dict[str, str]:
    """Images that were loaded later, and their archives: a node that is added gets them too."""
    return dict(json.loads(_loaded_file().read_text())) if _loaded_file().exists() else {}


def load(archives: Mapping[str, Path]) -> None:
    """Into every node that runs."""
    known = loaded()
    new = {image: path for image, path in archives.items() if known.get(image) != str(path)}
    nodes = [one for one in map(node.Node, node.numbers()) if one.running()]
    with ThreadPoolExecutor(4) as pool:
        for path in new.values():
            list(pool.map(lambda one, path=path: one.load(path), nodes))
    _loaded_file().write_text(json.dumps({**known, **{image: str(path) for image, path in new.items()}}))


def for_new_node() -> list[Path]:
    return [*basic(), *(Path(path) for path in loaded().values() if Path(path).exists())]
