"""Archives of a flow's packages, which its Pods unpack: made on the laptop when the flow is packaged."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reflow.environments.archive import Archive, with_archives
from reflow.environments.errors import Unmakeable
from reflow.environments.lock import Lock, minor, to_json
from reflow.environments.making import Workshop
from reflow.environments.packing import collect, pack
from reflow.environments.spec import EnvironmentSpec, Kind, check_python
from reflow.environments.uv import Uv
from reflow.launch.preparing import wishes
from reflow.launch.request import Flow
from reflow.store import archives
from reflow.store.flowstore import FlowStore
from reflow.values.dataclass import replace
from reflow.values.errors import FlowError


def archive_all(
    store: FlowStore, flow: Flow, platforms: Sequence[str], python: str, tell: Callable[[str], None]
) -> Mapping[str, Any]:
    """Put them into the store; what the code package, and then a run's manifest, says of them: {} where no step has
    packages of its own. `platforms`: as Python names them; `python`: the images' version, "" for this one's.

    Raises FlowError, with the step and the resolver's words, where it can't be done.
    """
    specs = wishes(flow)
    if not specs:
        return {}
    check_python(python)
    workshop = Workshop.open(os.environ)
    python = python or minor(workshop.here.version)
    locks: dict[str, Lock] = {}
    found: dict[str, list[Archive]] = {}
    for step, spec in specs.items():
        try:
            lock = locks[step] = _lock(workshop, spec, python)
            if lock.digest not in found:
                tell(f"Archiving the packages of step {step}: {spec.describe()}.")
                found[lock.digest] = list(_archives(store, workshop, lock, platforms))
        except Unmakeable as error:
            raise FlowError(
                f"The packages of step {step} (@{spec.kind}: {spec.describe()}) can't be archived: {error}",
                file=str(flow.script),
                line=flow.graph.steps[step].line or None,
            ) from None
    return with_archives(to_json(locks), found)


def _lock(workshop: Workshop, spec: EnvironmentSpec, python: str) -> Lock:
    if spec.kind is not Kind.PYPI:
        raise Unmakeable("only those of @pypi can. Take that, or an image that has them and disabled=True")
    wanted = spec if spec.python or workshop.here.is_version(python) else replace(spec, python=python)
    lock = workshop.known(wanted, ()) or workshop.settle(wanted)
    return lock if spec.python else Lock(spec, python, lock.pins)


def _archives(
    store: FlowStore, workshop: Workshop, lock: Lock, platforms: Sequence[str]
) -> Sequence[Archive]:
    """One for each platform; only one where no package has machine code."""
    uv = workshop.tool(Kind.PYPI)
    assert isinstance(uv, Uv)
    made: dict[str, Archive] = {}
    for platform in platforms:
        with tempfile.TemporaryDirectory(prefix="reflow-packages-") as scratch:
            folder, target = Path(scratch, "packages"), Path(scratch, "archive")
            folder.mkdir()
            fits = collect(uv, workshop.here, lock, platform, lock.python, folder)
            if fits not in made:
                pack(folder, target)
                made[fits] = Archive(fits, lock.python, *archives.put(store.objects, store.flow, target))
    return list(made.values())
