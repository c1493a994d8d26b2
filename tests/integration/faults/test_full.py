"""The disk has no room left, at any stage of a run: it says so, nothing is half-written, and with room it goes on."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.faults import harmed
from tests.integration.faults.conftest import ended, in_folder
from tests.integration.faults.site import Site

Limit = Callable[[str], None]
ROOM = "size=64m,nr_inodes=10000"
SAID = ("No space left on device",)


@pytest.fixture
def limit(tmp_path: Path) -> Iterator[Limit]:
    """A file system of the test's own at `disk`, and how to give it other limits."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("a small file system can only be mounted by root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", ROOM, "none", disk], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    try:
        yield lambda options: remount(disk, options)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


@pytest.fixture
def site(tmp_path: Path, limit: Limit) -> Iterator[Site]:
    yield from ended(Site(tmp_path, in_folder(tmp_path / "disk" / "store")))


def test_a_disk_without_room_for_another_file_is_named_whatever_was_to_be_written(
    site: Site, limit: Limit, dice: random.Random
) -> None:
    for _ in range(5):
        out_of_files(site, limit, dice.randrange(1, 70))


def test_a_disk_without_room_for_another_block_is_named_whatever_was_to_be_written(
    site: Site, limit: Limit, dice: random.Random
) -> None:
    for _ in range(5):
        out_of_blocks(site, limit, dice.choice([dice.randrange(1, 20), dice.randrange(20, 330)]))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_each_file_that_a_run_writes_may_find_the_disk_full(site: Site, limit: Limit) -> None:
    for count in range(1, 75):
        out_of_files(site, limit, count)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_each_block_that_a_run_writes_may_find_the_disk_full(site: Site, limit: Limit) -> None:
    for count in [*range(1, 40), *range(40, 330, 10)]:
        out_of_blocks(site, limit, count)


def out_of_files(site: Site, limit: Limit, more: int) -> None:
    used = os.statvfs(site.folder / "disk")
    a_round(site, limit, f"nr_inodes={used.f_files - used.f_ffree + more}")


def out_of_blocks(site: Site, limit: Limit, more: int) -> None:
    used = os.statvfs(site.folder / "disk")
    a_round(site, limit, f"size={(used.f_blocks - used.f_bfree + more) * used.f_frsize}")


def a_round(site: Site, limit: Limit, too_little: str) -> None:
    """A run and its resume on a disk that fills up; with room again, all goes on from what has finished."""
    print(too_little)
    script = harmed.begin(site)
    before = harmed.results(site)
    limit(too_little)
    for _ in range(2):
        played = site.play(*harmed.command(site, script))
        if played.code:
            harmed.told(played, *SAID)
        assert played.seconds < 20, played.all
        harmed.whole(site, before)
        site.nothing_stays()
        before = harmed.results(site)
    limit(ROOM)
    harmed.goes_on(site, script)


def test_a_limit_on_the_size_of_files_is_named(here: Site) -> None:
    script = harmed.begin(here)
    limited = (
        "import os, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    harmed.told(here.play("-c", limited, *harmed.command(here, script)), "the size of files (`ulimit -f`)")
    assert not [name for name in here.files() if name.startswith((".tmp", f"{harmed.FLOW}/blobs"))]
    harmed.goes_on(here, script)
