"""python3 -m tests.cluster: the command line."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
import time
from pathlib import Path

from tests.cluster import build, cluster, images, kind, settings
from tests.cluster.shell import ClusterError, say


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build all that isn't cached yet, and start nothing")
    up = commands.add_parser("up", help="start it, or what is missing of it")
    up.add_argument("--nodes", type=int, default=1)
    down = commands.add_parser("down", help="stop it without a trace")
    down.add_argument("--force", action="store_true", help="even if it is another checkout's")
    commands.add_parser(
        "missing", help="what this machine lacks for a cluster; exit code 1 where it lacks anything"
    )
    commands.add_parser("status", help="what runs, as JSON")
    env = commands.add_parser("env", help="what to export to use it, for `eval`")
    env.add_argument("--json", action="store_true")
    made = commands.add_parser("images", help="build the project's images and load them; prints their tags")
    made.add_argument("names", nargs="*", default=list(images.PROJECT), help=", ".join(images.PROJECT))
    made.add_argument("--env", action="store_true", help="as lines for a shell, not as JSON")
    load = commands.add_parser("image-load", help="load an archive's images into every node")
    load.add_argument("name", help="what it is called in the list of loaded images")
    load.add_argument("archive", type=Path)
    for name, text in (
        ("node-kill", "kill -9 everything on a node"),
        ("node-start", "start a killed node again"),
    ):
        commands.add_parser(name, help=text).add_argument("number", type=int)
    return parser


def _print_environment(as_json: bool) -> None:
    found = kind.environment() if kind.is_up() else cluster.environment()
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")


def _images(names: list[str], as_lines: bool) -> None:
    unknown = sorted(set(names) - set(images.PROJECT))
    if unknown:
        raise ClusterError(f"no image is called {', '.join(unknown)}; there are {', '.join(images.PROJECT)}")
    if kind.is_up():
        tags = kind.project_images(names)
    else:
        built = images.project(names)
        with cluster.exclusively():
            cluster.check_owner()
            if cluster.owner():
                images.load(built)
        tags = dict(zip(names, built, strict=True))
    if as_lines:
        for name, tag in tags.items():
            print(f"export REFLOW_TEST_{name.upper()}_IMAGE={tag}")
    else:
        print(json.dumps(tags))


def _load(name: str, archive: Path) -> None:
    if not archive.is_file():
        raise ClusterError(f"there is no file {archive}")
    if kind.is_up():
        kind.load(archive)
        return
    with cluster.exclusively():
        cluster.check_owner()
        images.load({name: archive.resolve()})


def _up(nodes: int) -> None:
    start = time.monotonic()
    if kind.usable():
        kind.up(nodes)
    else:
        with cluster.exclusively():
            cluster.up(nodes)
    say(f"cluster: up in {time.monotonic() - start:.1f} s")
    print(f"export KUBECONFIG={settings.kubeconfig()}")


def _down(force: bool) -> None:
    if kind.is_up():
        kind.down()
    else:
        with cluster.exclusively():
            cluster.down(force)
    say("cluster: down")


def _missing() -> str:
    """Why no cluster can be had here, and what to do; empty where one can."""
    if kind.usable():
        return ""
    if sys.platform != "linux":
        return "It takes Docker here (or root on Linux): start Docker, then `make cluster`."
    if os.geteuid():
        return "It takes root, or a Docker that this user may use: run `sudo make test`, or start Docker."
    if shutil.which("apt-get") is None:
        return "It takes a Linux of Debian's family, or Docker: start Docker, then `make cluster`."
    return ""


def main(arguments: list[str]) -> None:
    given = _parser().parse_args(arguments)
    match given.command:
        case "build":
            if not kind.usable():
                build.build_all()
        case "up":
            _up(given.nodes)
        case "down":
            _down(given.force)
        case "missing":
            if lacking := _missing():
                print(lacking)
                sys.exit(1)
        case "status":
            found = {"up": True, "by": "kind"} if kind.is_up() else cluster.status()
            print(json.dumps(found, indent=2))
        case "env":
            _print_environment(given.json)
        case "images":
            _images(given.names, given.env)
        case "image-load":
            _load(given.name, given.archive)
        case "node-kill" | "node-start":
            act = cluster.node_kill if given.command == "node-kill" else cluster.node_start
            with cluster.exclusively():
                cluster.check_owner()
                act(given.number)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ClusterError as error:
        sys.exit(f"cluster: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
