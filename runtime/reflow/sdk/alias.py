"""`from metaflow import …` means Reflow, in a run that asks for it, even where Metaflow is installed.

Where a script's imports are changed instead, `from reflow.exception import …` works too: what Metaflow has in a module
that has another name here is found by Metaflow's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

NAME = "metaflow"
OURS = "reflow"
MODULES = {
    "metaflow": "reflow",
    "metaflow.cards": "reflow.cards",
    "metaflow.client": "reflow.client",
    "metaflow.client.core": "reflow.client",
    "metaflow.current": "reflow.sdk.currently",
    "metaflow.datatools": "reflow.sdk.s3",
    "metaflow.decorators": "reflow.sdk.decorators",
    "metaflow.exception": "reflow.sdk.exceptions",
    "metaflow.flowspec": "reflow.sdk.flowspec",
    "metaflow.includefile": "reflow.sdk.includefile",
    "metaflow.metaflow_current": "reflow.sdk.currently",
    "metaflow.metaflow_profile": "reflow.sdk.profiling",
    "metaflow.metaflow_version": "reflow.sdk.versions",
    "metaflow.multicore_utils": "reflow.sdk.multicore",
    "metaflow.parameters": "reflow.sdk.parameters",
    "metaflow.plugins": "reflow.sdk",
    "metaflow.plugins.cards": "reflow.cards",
    "metaflow.plugins.cards.card_client": "reflow.cards",
    "metaflow.plugins.cards.card_modules": "reflow.cards",
    "metaflow.plugins.cards.card_modules.basic": "reflow.cards",
    "metaflow.plugins.cards.card_modules.card": "reflow.cards",
    "metaflow.plugins.cards.card_modules.components": "reflow.cards",
    "metaflow.plugins.catch_decorator": "reflow.sdk.exceptions",
    "metaflow.plugins.datatools": "reflow.sdk.s3",
    "metaflow.plugins.datatools.s3": "reflow.sdk.s3",
    "metaflow.runner": "reflow.runner",
    "metaflow.runner.metaflow_runner": "reflow.runner",
    "metaflow.runner.nbrun": "reflow.runner",
    "metaflow.plugins.timeout_decorator": "reflow.sdk.exceptions",
    "metaflow.util": "reflow.sdk.texts",
    "metaflow.user_configs": "reflow.sdk.configs",
    "metaflow.user_configs.config_parameters": "reflow.sdk.configs",
    "metaflow.user_decorators": "reflow.sdk.mutators",
    "metaflow.user_decorators.mutable_flow": "reflow.sdk.mutable",
    "metaflow.user_decorators.mutable_step": "reflow.sdk.mutable",
    "metaflow.user_decorators.user_flow_decorator": "reflow.sdk.mutators",
    "metaflow.user_decorators.user_step_decorator": "reflow.sdk.mutators",
}
"""Metaflow's modules and what stands for each."""


class _Stand(ModuleType):
    """A module whose attributes are another's."""

    def __init__(self, name: str, theirs: str) -> None:
        super().__init__(name, f"Stands for {MODULES[theirs]}: see reflow.sdk.alias.")
        self.__dict__["_of"] = MODULES[theirs]
        self.__dict__["_theirs"] = theirs

    def __getattr__(self, name: str) -> Any:
        if name == "__path__" and _has_parts(self._theirs):
            return []
        if name == "__version__" and self.__name__ == NAME:
            from reflow.sdk.versions import get_version

            return get_version()
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        if f"{self._theirs}.{name}" in MODULES and name != "current":
            return import_module(f"{self.__name__}.{name}")
        module = import_module(self._of)
        if name == "__all__" and not hasattr(module, "__all__"):
            return [public for public in dir(module) if not public.startswith("_")]
        try:
            return getattr(module, name)
        except AttributeError:
            raise AttributeError(
                f"{self.__name__}.{name}: this script runs with metaflow meaning Reflow, which has no {name!r}."
            ) from None


def _has_parts(name: str) -> bool:
    return any(other.startswith(name + ".") for other in MODULES)


class _Finder:
    """Answers for `metaflow` and all below it, before any other finder."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in MODULES:  # of what is below metaflow too: many only ask whether a module is there
            return None
        return ModuleSpec(name, self, is_package=_has_parts(name))  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Stand(spec.name, _theirs(spec.name))

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: attributes are looked up when asked for."""


def _theirs(name: str) -> str:
    return name if name.partition(".")[0] == NAME else NAME + name.removeprefix(OURS)


def stand_of_ours(name: str) -> ModuleSpec | None:
    """For `reflow.exception` and the like, which aren't modules of ours but are Metaflow's under this name."""
    theirs = _theirs(name)
    if theirs not in MODULES:
        return None
    return ModuleSpec(name, _Finder(), is_package=_has_parts(theirs))  # type: ignore[arg-type]


def is_installed() -> bool:
    """Whether `metaflow` means Reflow in this process."""
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def lacking(error: BaseException) -> str:
    """What to say of an import that failed because Reflow has no such thing; "" of all other errors."""
    if (
        not isinstance(error, ImportError)
        or not f"{error.name}.".startswith(NAME + ".")
        or not is_installed()
    ):
        return ""
    what = "module" if isinstance(error, ModuleNotFoundError) else "name"
    return f"In this run metaflow means Reflow, which has no such {what}."


def install_alias() -> None:
    """Make `metaflow` mean Reflow in this process, from here on. Doing it again changes nothing."""
    if not is_installed():
        sys.meta_path.insert(0, _Finder())
        for name in [name for name in sys.modules if name == NAME or name.startswith(NAME + ".")]:
            del sys.modules[name]
