"""What can be said of the test cluster without starting it."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.cluster import archive, build, control, images, pki, processes, settings, shell


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REFLOW_CLUSTER_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("REFLOW_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_every_node_has_addresses_of_its_own() -> None:
    nodes = range(1, settings.MAX_NODES + 1)
    networks = [ipaddress.IPv4Network(settings.pod_net(number)) for number in nodes]
    pods = ipaddress.IPv4Network(settings.POD_NET)
    assert all(network.subnet_of(pods) for network in networks)
    assert not any(a.overlaps(b) for i, a in enumerate(networks) for b in networks[:i])
    addresses = {ipaddress.ip_address(settings.node_ip(number)) for number in nodes}
    assert len(addresses) == settings.MAX_NODES
    assert all(address in ipaddress.ip_network(settings.NODE_NET) for address in addresses)


def test_a_piece_is_named_by_what_it_is_made_from(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = build.helm().folder()
    assert before == build.helm().folder()
    monkeypatch.setattr(settings, "HELM", "v4.99.0")
    assert build.helm().folder() != before
    assert before.parent == state / "cache" / "cluster"


def test_a_piece_is_built_once_and_a_failed_build_leaves_nothing(state: Path) -> None:
    calls: list[Path] = []

    def make(folder: Path) -> None:
        calls.append(folder)
        if len(calls) == 1:
            raise shell.ClusterError("no network")
        (folder / "program").touch()

    piece = build.Piece("some", ("v1",), make, "seconds")
    with pytest.raises(shell.ClusterError, match="no network"):
        build.get(piece)
    assert not piece.built()
    assert build.get(piece) == build.get(piece) == piece.folder()
    assert len(calls) == 2
    assert [file.name for file in piece.folder().iterdir()] == ["program"]


def test_a_lock_held_by_another_process_is_waited_for_and_named(state: Path) -> None:
    held = state / "lock"
    code = (
        "import fcntl, os, sys\n"
        "fcntl.flock(os.open(sys.argv[1], os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX)\n"
        "print('held', flush=True)\nsys.stdin.read()\n"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code, str(held)], stdin=pipe, stdout=pipe) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(shell.ClusterError, match="held for"),
            shell.lock(held, timeout=0.1, what="this"),
        ):
            pass
        other.kill()
    with shell.lock(held, timeout=5, what="this"):
        pass


def test_a_process_that_got_the_number_of_a_dead_one_is_left_alone(state: Path) -> None:
    mine = processes.record("me", os.getpid())
    assert mine.alive()
    stranger = processes.Recorded("me", mine.pid, str(int(mine.started) + 1))
    assert not stranger.alive()
    stranger.kill()  # would end this test
    processes.stop([stranger])
    assert processes.find("me") is None


def test_a_started_process_is_stopped_with_its_number_recorded(state: Path) -> None:
    started = processes.start("sleeper", ["sleep", "60"])
    assert processes.find("sleeper") == started
    processes.stop(processes.recorded())
    assert not started.alive()
    os.waitpid(started.pid, 0)
    assert processes.recorded() == []


def test_an_image_archive_has_what_container_tools_look_for(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    archive.write_program(tmp_path / "image.tar", "localhost/x:1", program, {"User": "1:1"})
    with tarfile.open(tmp_path / "image.tar") as tar:
        manifest_file = tar.extractfile("manifest.json")
        assert manifest_file is not None
        (manifest,) = json.load(manifest_file)
        config_file = tar.extractfile(manifest["Config"])
        assert config_file is not None
        config = json.load(config_file)
        names = set(tar.getnames())
    assert manifest["RepoTags"] == ["localhost/x:1"]
    assert {*manifest["Layers"], manifest["Config"]} <= names
    assert config["rootfs"]["diff_ids"] == ["sha256:" + manifest["Layers"][0].removesuffix(".tar")]
    assert config["config"] == {"Entrypoint": ["/program"], "WorkingDir": "/", "User": "1:1"}


def test_an_image_is_tagged_by_what_goes_into_it(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = state / "checkout"
    for file in ("runtime/Containerfile", "runtime/reflow/a.py"):
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        (source / file).write_text("1")
    monkeypatch.setattr(settings, "REPO", source)
    before = images.tag("runtime")
    (source / "runtime/reflow/__pycache__").mkdir()
    (source / "runtime/reflow/__pycache__/a.cpython-311.pyc").touch()
    assert images.tag("runtime") == before
    (source / "runtime/reflow/a.py").rename(source / "runtime/reflow/b.py")
    assert images.tag("runtime") != before


def test_the_kubeconfig_needs_no_other_file(state: Path) -> None:
    pki.make()
    config = yaml.safe_load(settings.kubeconfig().read_text())
    assert config["clusters"][0]["cluster"]["certificate-authority-data"]
    assert settings.kubeconfig().stat().st_mode & 0o077 == 0
    assert (pki.folder() / "scheduler.kubeconfig").exists()
    assert control.PARTS[0] == "etcd"


def test_kind_gets_what_minio_needs() -> None:
    config = yaml.safe_load((settings.REPO / "kind-config.yaml").read_text())
    manifests = list(yaml.safe_load_all((settings.HERE / "minio.yaml").read_text()))
    service = next(one for one in manifests if one["kind"] == "Service")
    deployment = next(one for one in manifests if one["kind"] == "Deployment")
    (node,) = config["nodes"]
    assert node["extraPortMappings"][0]["containerPort"] == service["spec"]["ports"][0]["nodePort"]
    assert deployment["spec"]["template"]["spec"]["nodeSelector"].items() <= node["labels"].items()
