"""A store that may only be read, and one that vanishes in the middle of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.faults import harmed
from tests.integration.faults.conftest import ended, in_folder
from tests.integration.faults.site import Site
from tests.integration.faults.waiting import begun


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A folder that is mounted where it is, so that it can be made read-only, or taken away."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a folder")
    if subprocess.run(["mount", "--bind", disk, disk], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a folder")
    try:
        yield disk
    finally:
        while not subprocess.run(["umount", "-l", disk], capture_output=True).returncode:
            pass


@pytest.fixture
def site(tmp_path: Path, mounted: Path) -> Iterator[Site]:
    yield from ended(Site(tmp_path, in_folder(mounted / "store")))


def may_only_be_read(disk: Path, *, only: bool) -> None:
    """What is open stays so; by its path all is reached by another mount, which is read-only.

    It's made so elsewhere and then put there: nobody may be writing into one that becomes read-only.
    """
    if not only:
        subprocess.run(["umount", "-l", disk], check=True)
        return
    aside = disk.with_name("read-only")
    aside.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", disk, aside], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", aside], check=True)
        subprocess.run(["mount", "--bind", aside, disk], check=True)
    finally:
        subprocess.run(["umount", "-l", aside], check=True)


def test_a_folder_that_may_only_be_read_is_told_and_everything_in_it_can_be_read(
    site: Site, mounted: Path
) -> None:
    script = harmed.begin(site)
    may_only_be_read(mounted, only=True)
    harmed.told(
        site.run(script), "Read-only file system. The file system is read-only; choose another store."
    )
    may_only_be_read(mounted, only=False)
    going = begun(site)
    may_only_be_read(mounted, only=True)
    harmed.told(going.end(), "Read-only file system")
    site.nothing_stays()
    for command in (("list",), ("logs", "1/start"), ("dump", "1/start")):
        played = site.play(str(script), *command)
        assert "Traceback" not in played.all, played.all
        assert played.code == (0 if command == ("list",) or harmed.results(site) else 1), played.all
    harmed.told(site.play(str(script), "tag", "add", "--run-id", "1", "good"), "Read-only file system")
    harmed.told(site.resume(script), "Read-only file system")
    assert site.runs(harmed.FLOW) == ["1"]
    may_only_be_read(mounted, only=False)
    harmed.goes_on(site, script)


def test_a_folder_without_permission_is_told(here: Site) -> None:
    if not os.geteuid():
        pytest.skip("root may write anywhere; see the read-only mount")
    script = harmed.begin(here)
    (here.folder / ".reflow").chmod(0o500)
    try:
        harmed.told(here.run(script), "Permission denied")
    finally:
        (here.folder / ".reflow").chmod(0o700)


def test_a_store_that_is_renamed_under_a_run_is_missed_and_found_again(here: Site) -> None:
    going = begun(here)
    (here.folder / ".reflow").rename(here.folder / "elsewhere")
    harmed.told(going.end(), "is gone")
    here.nothing_stays()
    assert not (here.folder / ".reflow" / harmed.FLOW).exists()
    (here.folder / "elsewhere").rename(here.folder / ".reflow")
    harmed.goes_on(here, here.folder / "harmed.py")


def test_a_store_that_is_unmounted_under_a_run_is_missed_and_found_again(site: Site, mounted: Path) -> None:
    going = begun(site)
    subprocess.run(["umount", "-l", mounted], check=True)
    aside = mounted.with_name("aside")
    mounted.rename(aside)
    harmed.told(going.end(), "is gone")
    site.nothing_stays()
    assert not mounted.exists(), "nothing is to be written where the store was"
    harmed.told(site.resume("harmed.py"), "there is no folder")
    aside.rename(mounted)
    harmed.goes_on(site, site.folder / "harmed.py")
