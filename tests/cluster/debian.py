"""What is taken from Debian: a few packages of this machine, and the root file system of our base image."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import settings
from tests.cluster.shell import ClusterError, lock, run, say

# The recipe of the base image. A change of how it is made, rather than of what, needs another number here.
RECIPE = 1
INCLUDE = ("python3", "python3-venv", "ca-certificates")
# Nothing in an image of ours reads these, and they are more than half of it.
UNUSED = (
    "usr/lib/python3.11/idlelib",
    "usr/lib/python3.11/lib2to3",
    "usr/lib/python3.11/pydoc_data",
    "usr/lib/python3.11/test",
    "usr/share/bash-completion",
    "usr/share/bug",
    "usr/share/doc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/cache/debconf",
    "var/lib/apt/lists",
    "var/log/alternatives.log",
    "var/log/apt",
    "var/log/bootstrap.log",
    "var/log/dpkg.log",
)


def install(packages: Mapping[str, str]) -> None:
    """Install those packages whose file is missing."""
    missing = [name for name, file in packages.items() if not Path(file).exists()]
    if not missing:
        return
    if os.geteuid():
        raise ClusterError(f"missing here: {' '.join(missing)}; install them, or run this as root")
    if not shutil.which("apt-get"):
        raise ClusterError(f"missing here: {' '.join(missing)}, and there is no apt-get to install them with")
    say(f"apt-get install {' '.join(missing)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    wait = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
    with lock(settings.cache() / "apt.lock", timeout=900, what="apt-get"):
        # An update that can't reach one of several sources still brings what the others have.
        run(["apt-get", *wait, "-qq", "update"], timeout=300, env=env, check=False)
        run(
            ["apt-get", *wait, "-qq", "install", "-y", "--no-install-recommends", *missing],
            timeout=900,
            env=env,
        )
    still = [name for name, file in packages.items() if not Path(file).exists()]
    if still:
        raise ClusterError(f"apt-get installed {' '.join(still)}, but its programs aren't there")


def mirror() -> str:
    """The mirror that this machine's own apt uses."""
    said = run(["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(REPO_URI)"], timeout=60)
    for line in said.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] == settings.DEBIAN and "security" not in words[2]:
            return words[2]
    for file in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        if file.is_file():
            for address in re.findall(r"(?m)^(?:URIs:|deb(?:\s+\[[^]]*\])?)\s+(\S+)", file.read_text()):
                if str(address).rstrip("/").endswith("/debian"):
                    return str(address)
    raise ClusterError("apt is configured with no Debian mirror here, and the base image is made from one")


def root_file_system(target: Path) -> None:
    """A minimal Debian with Python in a folder."""
    include = ",".join(INCLUDE)
    run(
        ["debootstrap", "--variant=minbase", f"--include={include}", settings.DEBIAN, target, mirror()],
        timeout=900,
    )
    for name in UNUSED:
        path = target / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (target / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    user = settings.NON_ROOT
    for file, line in (
        ("etc/passwd", f"reflow:x:{user}:{user}::/tmp:/usr/sbin/nologin\n"),
        ("etc/group", f"reflow:x:{user}:\n"),
    ):
        with (target / file).open("a") as opened:
            opened.write(line)
    (target / "etc/resolv.conf").unlink(missing_ok=True)
    (target / "etc/hostname").unlink(missing_ok=True)
