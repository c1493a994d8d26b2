"""What the cluster is made of: each piece is built once and kept under a name that says from what."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import archive, debian, settings, toolchain
from tests.cluster.shell import ClusterError, lock, run, say

_STRIP = "-s -w"
_PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubectl",
)


@dataclass(frozen=True)
class Piece:
    name: str
    made_from: tuple[str, ...]  # all that decides what comes out
    make: Callable[[Path], None]  # fills an empty folder
    about: str  # how long the first time takes, for whoever is waiting

    def folder(self) -> Path:
        digest = hashlib.sha256(json.dumps(self.made_from).encode()).hexdigest()[:12]
        return settings.cache() / f"{self.name}-{digest}"

    def built(self) -> bool:
        return self.folder().is_dir()


def get(piece: Piece) -> Path:
    """The piece's folder, built if need be. Two at once: the second waits and finds it done."""
    folder = piece.folder()
    if folder.is_dir():
        return folder
    with lock(settings.cache() / f"{piece.name}.lock", timeout=3600, what=piece.name):
        if folder.is_dir():
            return folder
        for old in settings.cache().glob(f"{piece.name}-*.new"):
            shutil.rmtree(old)
        new = folder.with_name(folder.name + ".new")
        new.mkdir(parents=True)
        say(f"{piece.name}: building it (once; {piece.about})")
        start = time.monotonic()
        piece.make(new)
        new.rename(folder)
        say(f"{piece.name}: built in {time.monotonic() - start:.0f} s")
    return folder


def _go(name: str, args: Iterable[str], env: dict[str, str], cwd: Path) -> None:
    """Run the Go command, with a sign of life every ten seconds."""
    words = ["nice", "-n", "5", toolchain.go(), *args]
    process = subprocess.Popen(
        words,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []

    def read() -> None:
        assert process.stderr is not None
        lines.extend(iter(process.stderr.readline, ""))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    start = told = time.monotonic()
    try:
        while process.poll() is None:
            time.sleep(0.2)
            now = time.monotonic()
            if now - told > 10:
                told = now
                fetched = sum(line.startswith("go: downloading") for line in lines)
                compiled = len(lines) - fetched
                say(f"{name}: {now - start:.0f} s, {fetched} modules fetched, {compiled} packages compiled")
            if now - start > 3600:
                raise ClusterError(f"{name}: go is not done after an hour")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    reader.join(10)
    if process.returncode:
        raise ClusterError(f"{' '.join(words)}: exit code {process.returncode}\n{''.join(lines[-30:])}")


def _go_build(name: str, source: Path, output: Path, ldflags: str, static: bool = False) -> None:
    env = toolchain.go_environment()
    if static:
        env["CGO_ENABLED"] = "0"
    # Built from a copy: Go's own bookkeeping never touches the checkout.
    work = output.parent / "src"
    shutil.copytree(source, work)
    flags = ["-v", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", ldflags]
    _go(name, ["build", *flags, "-o", str(output), "."], env, work)
    shutil.rmtree(work)


def _go_install(name: str, folder: Path, packages: Iterable[str], version: str, static: bool = False) -> None:
    env = toolchain.go_environment()
    env["GOBIN"] = str(folder)
    if static:
        env["CGO_ENABLED"] = "0"
    for package in packages:
        flags = ["-v", "-trimpath", "-buildvcs=false", "-mod=mod", "-ldflags", _STRIP]
        _go(name, ["install", *flags, f"{package}@{version}"], env, folder)


def _kubernetes(folder: Path) -> None:
    stamp = "k8s.io/component-base/version"
    minor = settings.KUBERNETES.split(".")[1]
    says = {"gitVersion": settings.KUBERNETES, "gitMajor": "1", "gitMinor": minor}
    ldflags = " ".join([_STRIP, *(f"-X {stamp}.{key}={value}" for key, value in says.items())])
    _go_build("kubernetes", settings.HERE / "hyper", folder / "hyper", ldflags)
    for program in _PROGRAMS:
        (folder / program).symlink_to("hyper")


def _containerd(folder: Path) -> None:
    module = "github.com/containerd/containerd/v2/cmd"
    programs = ("containerd", "containerd-shim-runc-v2", "ctr")
    _go_install("containerd", folder, [f"{module}/{program}" for program in programs], settings.CONTAINERD)


def _sources(folder: Path) -> list[str]:
    return [file.read_text() for file in sorted(folder.iterdir()) if file.is_file()]


def _base(folder: Path) -> None:
    debian.install(settings.DEBIAN_PACKAGES)
    work = folder / "root"
    debian.root_file_system(work)
    layer = folder / "layer.tar"
    run(["tar", "--numeric-owner", "--sort=name", "-C", work, "-cf", layer, "."], timeout=300)
    shutil.rmtree(work)
    user = f"{settings.NON_ROOT}:{settings.NON_ROOT}"
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    config = {"User": user, "Env": [path, "LANG=C.UTF-8"], "Cmd": ["python3"], "WorkingDir": "/"}
    archive.write(folder / "image.tar", settings.BASE_IMAGE, layer, config)


def _arch() -> str:
    return settings.go_arch()


def kubernetes() -> Piece:
    made = (settings.KUBERNETES, _arch(), *_sources(settings.HERE / "hyper"))
    return Piece("kubernetes", made, _kubernetes, "8 to 16 minutes on two cores")


def containerd() -> Piece:
    return Piece("containerd", (settings.CONTAINERD, _arch()), _containerd, "about 2 minutes")


def pause() -> Piece:
    source = settings.HERE / "pause"

    def make(folder: Path) -> None:
        _go_build("pause", source, folder / "pause", _STRIP, static=True)
        archive.write_program(folder / "image.tar", settings.PAUSE_IMAGE, folder / "pause", {})

    return Piece("pause", (_arch(), *_sources(source)), make, "seconds")


def minio() -> Piece:
    def make(folder: Path) -> None:
        _go_install("minio", folder, ["github.com/minio/minio"], settings.MINIO, static=True)
        config = {"User": f"{settings.NON_ROOT}:{settings.NON_ROOT}"}
        archive.write_program(folder / "image.tar", settings.MINIO_IMAGE, folder / "minio", config)

    return Piece("minio", (settings.MINIO, _arch()), make, "about 4 minutes")


def versitygw() -> Piece:
    def make(folder: Path) -> None:
        package = "github.com/versity/versitygw/cmd/versitygw"
        _go_install("versitygw", folder, [package], settings.VERSITYGW, static=True)

    return Piece("versitygw", (settings.VERSITYGW, _arch()), make, "about 2 minutes")


def helm() -> Piece:
    def make(folder: Path) -> None:
        _go_install("helm", folder, ["helm.sh/helm/v4/cmd/helm"], settings.HELM, static=True)

    return Piece("helm", (settings.HELM, _arch()), make, "about 4 minutes")


def kind() -> Piece:
    def make(folder: Path) -> None:
        _go_install("kind", folder, ["sigs.k8s.io/kind"], settings.KIND, static=True)

    return Piece("kind", (settings.KIND, _arch()), make, "a minute")


def base() -> Piece:
    made = (settings.DEBIAN, _arch(), str(debian.RECIPE), *debian.INCLUDE, *debian.UNUSED)
    return Piece("base", made, _base, "about a minute")


def everything() -> list[Piece]:
    """In the order in which they are needed: the cluster first, what runs in it after that, then a second S3 server
    for the store's tests."""
    return [pause(), kubernetes(), containerd(), base(), minio(), helm(), versitygw()]


def build_all() -> None:
    if os.geteuid() == 0:
        debian.install(settings.DEBIAN_PACKAGES)
    for piece in everything():
        state = "cached" if piece.built() else ""
        path = get(piece)
        say(f"{piece.name}: {state or 'ready'} {path}")
