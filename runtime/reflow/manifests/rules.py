"""The CRDs' CEL rules for a new object, so that they hold on the laptop too. Pure.

Each rule here is known by its CEL text, and its message is the CRD's: a rule that is changed there and not
here makes the check fail rather than pass. Rules with `oldSelf` compare two versions of an object, and have
no say here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]
Schema = Mapping[str, Any]


def _just_one_source(code: Object) -> bool:
    return sum(name in code for name in ("inline", "package", "image")) == 1


def _origin_has_a_flow(spec: Object) -> bool:
    return "originRunID" not in spec or "flow" in spec or "inline" in spec.get("code", {})


RULES: Mapping[str, Callable[[Object], bool]] = {
    "(has(self.inline) ? 1 : 0) + (has(self.package) ? 1 : 0) + (has(self.image) ? 1 : 0) == 1": (
        _just_one_source
    ),
    "!has(self.package) || has(self.script)": lambda code: "package" not in code or "script" in code,
    "!has(self.image) || !has(self.script)": lambda code: "image" not in code or "script" not in code,
    "!has(self.code.image) || has(self.image)": lambda spec: "image" not in spec["code"] or "image" in spec,
    "!has(self.resumeFrom) || !has(self.parameters)": (
        lambda spec: "resumeFrom" not in spec or "parameters" not in spec
    ),
    "!has(self.parameters)": lambda spec: "parameters" not in spec,
    "has(self.originRef) != has(self.originRunID)": (
        lambda spec: ("originRef" in spec) != ("originRunID" in spec)
    ),
    "!has(self.originRunID) || has(self.flow) || (has(self.code) && has(self.code.inline))": (
        _origin_has_a_flow
    ),
}


def declared(schema: Schema, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """The rules for a new object that a schema declares, each with the path that it is written at."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if "oldSelf" not in rule["rule"]:
            yield path, rule
    for name, field in schema.get("properties", {}).items():
        yield from declared(field, (*path, name))


def broken(value: Object, schema: Schema) -> Iterator[tuple[str, str]]:
    """For each rule that an object breaks, the field at fault and the rule's message.

    The object must fit the schema otherwise, with nulls dropped and defaults filled in.
    """
    for path, rule in declared(schema):
        found: Any = value
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if found is not None and not RULES[rule["rule"]](found):
            yield ".".join(path) + rule.get("fieldPath", ""), rule["message"]
