"""`@pypi` and `@conda`, and the same for all steps of a flow: the packages that a step's own environment has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.sdk.decorators.base import FlowDecorator, StepDecorator
from reflow.values.errors import FlowError

_ATTRIBUTES = frozenset({"packages", "python", "disabled"})


def _check(name: str, attributes: Mapping[str, Any]) -> None:
    from reflow.environments.spec import check_python, packages_of  # for scripts that have environments alone

    try:
        packages_of(attributes)
        check_python(str(attributes.get("python") or ""))
    except FlowError as error:
        raise FlowError(f"@{name}: {error.reason}") from None


class _Steps(StepDecorator):
    def check(self, attributes: Mapping[str, Any]) -> None:
        _check(self.name, attributes)


class _Flows(FlowDecorator):
    def check(self, attributes: Mapping[str, Any]) -> None:
        _check(self.name, attributes)


class Pypi(_Steps):
    """`packages`: names and versions, such as `{'pandas': '2.1'}`, from PyPI. `python`: its version, as text.
    `disabled`: the step runs where the run was started, whatever the flow says."""

    name = "pypi"
    attributes = _ATTRIBUTES


class PypiBase(_Flows):
    """`@pypi` for all steps. A step's own packages are added, and win."""

    name = "pypi_base"
    attributes = _ATTRIBUTES


class Conda(_Steps):
    """As `@pypi`, by conda. `libraries`: an older name for `packages`."""

    name = "conda"
    attributes = _ATTRIBUTES | {"libraries"}


class CondaBase(_Flows):
    """`@conda` for all steps."""

    name = "conda_base"
    attributes = _ATTRIBUTES | {"libraries"}


pypi = Pypi()
pypi_base = PypiBase()
conda = Conda()
conda_base = CondaBase()
