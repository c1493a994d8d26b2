"""`@exit_hook`: what is called at a run's end on the laptop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from reflow.launch.request import Flow
from reflow.store.values import Manifest, RunEnd
from reflow.task.spawn import runtime_path


def hooks_of(manifest: Manifest, end: RunEnd) -> list[str]:
    """The functions' names, those of the end that the run has had."""
    which = "on_success" if end.succeeded else "on_error"
    found: list[str] = []
    for decorator in manifest.graph.decorators:
        if decorator.name == "exit_hook":
            names = decorator.attributes.get(which) or ()
            found += [names] if isinstance(names, str) else [str(name) for name in names]
    return found


def call_hooks(flow: Flow, store_url: str, manifest: Manifest, end: RunEnd) -> None:
    """Call them, in a Python of their own with the script loaded. Whatever they do, the run's end stays what it is."""
    names = hooks_of(manifest, end)
    if names:
        _call(
            [
                str(flow.script),
                "1" if manifest.code.alias else "0",
                flow.name,
                manifest.run,
                store_url,
                *names,
            ]
        )


def _call(arguments: Sequence[str]) -> None:
    environment = {**os.environ, **runtime_path(os.environ.get("PYTHONPATH"))}
    sys.stdout.flush()
    subprocess.run(
        [sys.executable, "-P", "-m", "reflow.task.hooks", *arguments], env=environment, check=False
    )
