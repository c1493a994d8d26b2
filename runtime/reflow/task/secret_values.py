"""Reading what `@secrets` names, in the task's process, into its environment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from reflow.graph.types import Decorator
from reflow.sdk.decorators.secrets import parsed
from reflow.values.errors import FlowError

FOLDER = "REFLOW_SECRETS"  # the environment's variable that names the folder with a subfolder for each Secret
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_OURS = ("METAFLOW_", "REFLOW_")  # begin the names of variables that a run itself is told by
SHORTEST = 4  # characters; a shorter value is too common in any text to be hidden there


def load_secrets(decorators: Iterable[Decorator]) -> tuple[str, ...]:
    """Set the variables; their values, which are to be hidden. Raises FlowError where one isn't there."""
    values: dict[str, str] = {}
    for decorator in decorators:
        if decorator.name == "secrets":
            may_replace = bool(decorator.attributes.get("allow_override"))
            for source in decorator.attributes.get("sources", ()):
                _add(values, source, may_replace)
    os.environ.update(values)
    return tuple(sorted({v for v in values.values() if len(v) >= SHORTEST}, key=len, reverse=True))


def _add(values: dict[str, str], source: Any, may_replace: bool) -> None:
    """Raises FlowError where two sources give one variable, or one gives what the environment has already."""
    kind, named, _ = parsed(source)
    shown = f"{kind}:{named}" if named else kind
    for name, value in _read(source).items():
        if not _NAME.fullmatch(name) or name.startswith(_OURS):
            raise FlowError(
                f"@secrets: {shown} gives {name!r}, which can't be the name of a variable of the step's."
            )
        if name in values:
            raise FlowError(
                f"@secrets: {shown} gives the variable {name}, and so does a source before it. Leave one out."
            )
        if not may_replace and os.environ.get(name, value) != value:
            raise FlowError(
                f"@secrets: {shown} gives the variable {name}, which the step's environment has already."
                " Take it away there, or allow it by @secrets(…, allow_override=True)."
            )
        values[name] = value


def _read(source: Any) -> Mapping[str, str]:
    kind, name, options = parsed(source)
    if kind == "env":
        if name not in os.environ:
            raise FlowError(
                f"@secrets: the environment has no variable {name}. Set it where the run is started."
            )
        return {name: os.environ[name]}
    if kind == "file":
        return _of_file(name)
    if kind == "inline":
        return {str(key): str(value) for key, value in dict(options.get("env_vars", {})).items()}
    return _of_kubernetes(name)


def _of_file(path: str) -> Mapping[str, str]:
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise FlowError(f"@secrets: the file {path} can't be read: {error.strerror or error}.") from None
    if text.lstrip().startswith("{"):
        try:
            return {str(key): str(value) for key, value in json.loads(text).items()}
        except ValueError:
            raise FlowError(f"@secrets: the file {path} begins like JSON and isn't.") from None
    lines = [line.strip().removeprefix("export ") for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {key.strip(): value.strip().strip("'\"") for key, _, value in pairs}


def _of_kubernetes(name: str) -> Mapping[str, str]:
    folder = os.environ.get(FOLDER, "")
    path = os.path.join(folder, name)
    if not folder or not os.path.isdir(path):
        raise FlowError(
            f"@secrets: the Kubernetes Secret {name} isn't here. In a cluster its Pod has it; on a laptop, put its "
            f"values into files named as its keys, in a folder {name}, and name the folder above that by {FOLDER}."
        )
    found = {}
    for key in sorted(os.listdir(path)):
        if not key.startswith("."):
            with open(os.path.join(path, key), encoding="utf-8") as file:
                found[key] = file.read()
    return found
