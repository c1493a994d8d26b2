"""What a step's decorators ask for, as one value. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from reflow.graph.types import Decorator, Graph, Step
from reflow.values.dataclass import dataclass
from reflow.values.errors import FlowError

OLDEST = (3, 11)  # what Reflow's own runtime, which each task imports, needs
_VERSION = re.compile(r"\d+(\.\d+){0,2}")
_AS_THEY_ARE = ("<", ">", "!", "~", "@", "=")


class Kind(StrEnum):
    """Where the packages come from."""

    PYPI = "pypi"
    CONDA = "conda"


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """`packages`: names and versions as they are written, sorted; `python`: its version, "" for the one that starts
    the run."""

    kind: Kind
    packages: tuple[tuple[str, str], ...] = ()
    python: str = ""

    @property
    def requirements(self) -> tuple[str, ...]:
        """As a resolver reads them: `pandas==2.1`, `numpy>=1,<2`, `six`."""
        return tuple(requirement(name, version) for name, version in self.packages)

    def describe(self) -> str:
        """For people: `pandas==2.1, six with Python 3.12`."""
        packages = ", ".join(self.requirements) or "no packages"
        return f"{packages} with Python {self.python}" if self.python else packages


def requirement(name: str, version: str) -> str:
    """One package: a bare version is an exact one, as in Metaflow, and an empty one lets any be taken."""
    if not version or version.startswith(_AS_THEY_ARE):
        return f"{name}{version}"
    return f"{name}=={version}"


def specs_of(graph: Graph) -> dict[str, EnvironmentSpec]:
    """The steps that run in an environment of their own. Raises FlowError with the step and its line."""
    found = {}
    for name, step in graph.steps.items():
        try:
            spec = _spec_of(step, graph.decorators)
        except FlowError as error:
            raise FlowError(f"Step '{name}': {error.reason}", line=step.line or None) from None
        if spec is not None:
            found[name] = spec
    return found


def _spec_of(step: Step, flow: tuple[Decorator, ...]) -> EnvironmentSpec | None:
    wishes = {kind: _merged(kind, step.decorators, flow) for kind in Kind}
    asked = {kind: wish for kind, wish in wishes.items() if wish is not None}
    if not asked or any(is_disabled(wish) for wish in asked.values()):
        return None
    full = [kind for kind, wish in asked.items() if wish["packages"]]
    if len(full) > 1:
        raise FlowError("has packages by @pypi and by @conda, its flow's included. Take one of the two.")
    kind = full[0] if full else next(iter(asked))
    python = str(asked[kind]["python"] or next((w["python"] for w in asked.values() if w["python"]), ""))
    check_python(python)
    return EnvironmentSpec(kind, tuple(sorted(asked[kind]["packages"].items())), python)


def _merged(kind: Kind, step: tuple[Decorator, ...], flow: tuple[Decorator, ...]) -> dict[str, Any] | None:
    """The flow's decorator with the step's over it: the step's packages win, the flow's are added."""
    base = next((d.attributes for d in flow if d.name == f"{kind}_base"), None)
    own = next((d.attributes for d in step if d.name == kind), None)
    if base is None and own is None:
        return None
    found: dict[str, Any] = {"packages": {}, "python": None, "disabled": None}
    for attributes in (base or {}, own or {}):
        found["packages"] = {**found["packages"], **packages_of(attributes)}
        for key in ("python", "disabled"):
            if attributes.get(key) is not None:
                found[key] = attributes[key]
    return found


def packages_of(attributes: Mapping[str, Any]) -> dict[str, str]:
    """A decorator's packages; `libraries` is an older name for them. Raises FlowError where they aren't names and
    versions."""
    found = {}
    for key in ("libraries", "packages"):
        packages = attributes.get(key) or {}
        if not isinstance(packages, Mapping):
            raise FlowError(
                f"{key}={packages!r}: this is a dictionary of names and versions, such as {{'pandas': '2.1'}}."
            )
        for name, version in packages.items():
            found[str(name).strip()] = _version(str(name).strip(), version)
    return found


def _version(name: str, version: Any) -> str:
    text = "" if version is None else str(version).strip()
    if isinstance(version, bool | list | tuple | Mapping):
        raise FlowError(f"package {name!r}: {version!r} is no version. Write it as text, such as '2.1'.")
    if not name or name.startswith("-") or not f"{name}{text}".isprintable():
        raise FlowError(f"{name + text!r} is no package and version.")
    return text


def check_python(python: str) -> None:
    """Raises FlowError where it's no version, or one that Reflow's runtime doesn't know."""
    if not python:
        return
    if not _VERSION.fullmatch(python):
        raise FlowError(f"python={python!r}: this is a version, such as '3.12'.")
    if tuple(int(part) for part in python.split(".")[:2]) < OLDEST[: 1 + python.count(".")]:
        raise FlowError(
            f"python={python!r}: a task needs Python {'.'.join(map(str, OLDEST))} or newer, for Reflow's own runtime."
        )


def is_disabled(attributes: Mapping[str, Any]) -> bool:
    """`disabled=True`; as text too, as the command line gives it."""
    return str(attributes.get("disabled") or "").lower() == "true"
