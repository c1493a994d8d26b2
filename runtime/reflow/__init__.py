"""Reflow: Python flows that are painless to debug, on Kubernetes and on a laptop.

    from reflow import FlowSpec, step

Names are looked up when they are first asked for, so that a task's process imports no more than it uses.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from reflow.sdk import *  # noqa: F403

__version__ = "0.1.0"


class _ByMetaflowsName:
    """Asked last, for modules of `reflow` that aren't there: Metaflow's users look for `reflow.exception`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith("reflow."):
            return None
        from reflow.sdk.alias import stand_of_ours

        return stand_of_ours(name)


sys.meta_path.append(_ByMetaflowsName)
_ROOMS = ("reflow.sdk", "reflow.client", "reflow.runner")


def __getattr__(name: str) -> Any:
    """What users import from here: `reflow.sdk` (to write a flow), `reflow.client` and `reflow.runner`."""
    if name == "__all__":  # asked for by `from reflow import *`
        return [name for room in _ROOMS for name in getattr(import_module(room), "__all__", ())]
    if name.startswith("_"):
        raise AttributeError(f"module 'reflow' has no attribute {name!r}")
    for room in _ROOMS:
        module = import_module(room)
        if name in module.__all__:
            value = getattr(module, name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'reflow' has no attribute {name!r}")


def __dir__() -> list[str]:
    names = set(globals())
    for room in _ROOMS:
        names.update(import_module(room).__all__)
    return sorted(names)
