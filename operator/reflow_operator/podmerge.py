"""Laying a user's podTemplate over the Pod that the operator makes: a strategic merge, of the parts Pods
have. Pure.

Objects are merged field by field, a null removes. Lists of things with a name (containers, volumes, env …)
are merged by it; tolerations are added; other lists are replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow_operator.constants import CONTAINER

Json = dict[str, Any]
KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "resourceClaims": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}
ADDED = frozenset({"tolerations", "envFrom", "schedulingGates", "readinessGates"})


def lay_over(pod: Mapping[str, Any], template: Mapping[str, Any] | None) -> Json:
    """`pod` with `template`'s metadata and spec over it. The template's first container is the task's."""
    if not template:
        return dict(pod)
    return merge(pod, _with_named_container(template))


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> Json:
    """`above` over `below`; neither is changed."""
    merged = dict(below)
    for field, value in above.items():
        if value is None:
            merged.pop(field, None)
        else:
            merged[field] = _value(field, merged.get(field), value)
    return merged


def _value(field: str, below: Any, above: Any) -> Any:
    if isinstance(above, Mapping):
        return merge(below if isinstance(below, Mapping) else {}, above)
    if isinstance(above, list) and isinstance(below, list):
        if field in ADDED:
            return [*below, *(entry for entry in above if entry not in below)]
        if field in KEYS:
            return _by_key(below, above, KEYS[field])
    return above


def _by_key(below: list[Any], above: list[Any], key: str) -> list[Any]:
    merged = list(below)
    places = {entry.get(key): place for place, entry in enumerate(below) if isinstance(entry, Mapping)}
    for entry in above:
        place = places.get(entry.get(key)) if isinstance(entry, Mapping) else None
        if place is None:
            merged.append(entry)
        else:
            merged[place] = merge(merged[place], entry)
    return merged


def _with_named_container(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """The template with the container meant for the task under its name: the one so named, else the first."""
    spec = template.get("spec")
    containers = spec.get("containers") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(containers, list) or not containers:
        return template
    if any(entry.get("name") == CONTAINER for entry in containers):
        return template
    first, *rest = containers
    named = [{**first, "name": CONTAINER}, *rest]
    return {**template, "spec": {**spec, "containers": named}}
