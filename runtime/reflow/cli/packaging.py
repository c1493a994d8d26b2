"""`reflow package FILE`: keep a flow's code in the store, and print what a FlowRun's `code.package` needs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from reflow.environments.archive import FILE
from reflow.environments.packing import PLATFORMS, platform_here
from reflow.launch.archiving import archive_all
from reflow.launch.lastrun import nearest_memory
from reflow.launch.locally import Place, open_flow
from reflow.launch.request import Flow
from reflow.store.open import find_store
from reflow.store.package import pack_file, pack_files
from reflow.task.load import load_script
from reflow.values.errors import UsageError

MOST_BYTES = 10 << 20
LEFT_OUT = {"__pycache__", "node_modules", "venv"}


def package(options: argparse.Namespace) -> int:
    """The script with the .py files beside and below it, up to MOST_BYTES, and what its Pods need of packages.

    Raises UsageError, FlowError.
    """
    script: Path = options.script
    files = dict(python_files(script))
    flow = loaded_flow(script)
    cwd = Path.cwd()
    found = find_store(options.store, script, cwd, os.environ)
    store = open_flow(Place(found.url, found.where, nearest_memory(cwd)), flow.name)
    platforms = [PLATFORMS[name] for name in options.platforms or [platform_here()]]
    environments = archive_all(
        store, flow, platforms, options.python, lambda what: print(what, file=sys.stderr, flush=True)
    )
    if environments:
        files[FILE] = json.dumps(environments).encode()
    data = pack_files(files) if len(files) > 1 else pack_file(files[script.name])
    print(f"flow: {flow.name}\ncode:\n  package: {store.put_code(data)}\n  script: {script.name}", flush=True)
    return 0


def loaded_flow(script: Path) -> Flow:
    """Raises FlowError."""
    from reflow.graph.build import from_class
    from reflow.sdk.configs import configs_of, resolve_configs
    from reflow.sdk.finalise import finalise

    flow_class = load_script(script, alias=True).flow_class
    folder = str(script.absolute().parent)
    finalise(flow_class, resolve_configs(flow_class, {}, {}, folder) if configs_of(flow_class) else {})
    return Flow(flow_class.__name__, script, alias=True, graph=from_class(flow_class), digest="")


def python_files(script: Path) -> Iterator[tuple[str, bytes]]:
    """By their paths below the script's folder. Raises UsageError where there's too much."""
    if not script.is_file():
        raise UsageError(f"{script}: there is no such file.")
    total = 0
    folder = script.absolute().parent
    for path in sorted(_walk(folder)):
        total += path.stat().st_size
        if total > MOST_BYTES:
            raise UsageError(
                f"The .py files below {folder} are more than {MOST_BYTES >> 20} MB in all: keep the flow in a folder "
                f"of its own."
            )
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith(".") or entry.name in LEFT_OUT or entry.is_symlink():
            continue
        if entry.is_dir():
            if not (entry / "pyvenv.cfg").exists():
                yield from _walk(entry)
        elif entry.suffix == ".py":
            yield entry
