"""What the Pods of a run find of the packages that its steps ask for: archives in the store, named by the code package
that `reflow package` made, or by the run that is resumed.

A step whose packages aren't there is told before the run begins: it must never run without them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from reflow.environments.archive import FILE, Archive, archives_of, with_archives
from reflow.environments.lock import Lock, from_json, to_json
from reflow.environments.spec import EnvironmentSpec, specs_of
from reflow.graph.types import Graph
from reflow.store import archives
from reflow.store.flowstore import FlowStore
from reflow.store.package import read_beside
from reflow.values.errors import CorruptObject, FlowError, NewerFormat, NotFound
from reflow_operator.constants import Reason
from reflow_operator.held import Refused

LIMIT = 4 << 20  # bytes that a package says of its environments at most


def settled(
    store: FlowStore, graph: Graph, code: str | None, origin: Mapping[str, Any], running: Collection[str]
) -> dict[str, Any]:
    """For the manifest. `code`: the package's sha256; `origin`: what the manifest of the run that is resumed says;
    `running`: the steps that may run.

    In a thread. Raises Refused where a step that may run asks for packages and there's no archive of them.
    """
    try:
        specs = specs_of(graph)
    except FlowError as error:
        raise Refused(Reason.INVALID_CODE, str(error)) from error
    if not specs:
        return {}
    try:
        known = [_by_spec(kept) for kept in (_of_package(store, code), origin)]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, CorruptObject, NewerFormat) as error:
        raise Refused(Reason.INVALID_CODE, f"What is said of the packages can't be read: {error}") from error
    locks: dict[str, Lock] = {}
    found: dict[str, Sequence[Archive]] = {}
    for step, spec in specs.items():
        # What won't run needs no archive; its versions are kept all the same, for a resume that will run it.
        entries = [kept[spec] for kept in known if spec in kept and (kept[spec][1] or step not in running)]
        if not entries and step in running:
            raise Refused(Reason.INVALID_CODE, _words(step, spec, graph.steps[step].line))
        if entries:
            locks[step], its = entries[0]
            found.update({locks[step].digest: its} if its else {})
            if step in running:
                _keep(store, step, its)
    return with_archives(to_json(locks), found)


def _by_spec(kept: Mapping[str, Any]) -> dict[EnvironmentSpec, tuple[Lock, tuple[Archive, ...]]]:
    """What is known of each wish: its exact versions, and their archives."""
    return {lock.spec: (lock, archives_of(kept, step)) for step, lock in from_json(kept).items()}


def _of_package(store: FlowStore, code: str | None) -> Mapping[str, Any]:
    text = read_beside(store.code(code), FILE, LIMIT) if code else None
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _keep(store: FlowStore, step: str, found: Sequence[Archive]) -> None:
    try:
        for archive in found:
            archives.keep(store.objects, store.flow, archive.sha256)
    except NotFound as error:
        raise Refused(
            Reason.INVALID_CODE,
            f"The packages of step '{step}' are gone from the store. Make them again with `reflow package`: {error}",
        ) from error


def _words(step: str, spec: EnvironmentSpec, line: int) -> str:
    where = f" (line {line})" if line else ""
    return (
        f"Step '{step}'{where} asks for packages by @{spec.kind} ({spec.describe()}), and Pods install none: they take"
        " an archive of them from the store. Keep the flow and its archives there with `reflow package FILE`, and name"
        " what it prints in spec.code; or take an image that has the packages, and say @pypi(disabled=True)."
    )
