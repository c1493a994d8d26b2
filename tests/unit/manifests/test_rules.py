from __future__ import annotations

from typing import Any

import pytest

from reflow.manifests import crds, rules, structure
from tests.unit.manifests.builders import flowrun, resume

PACKAGE = {"package": "0" * 64, "script": "debug.py"}
IMAGE = {"image": {"path": "/app/debug.py"}}
IN_IMAGE = flowrun(code=IMAGE, image="i")
RESUMED = flowrun(resumeFrom={"runID": "1"})


def by_run(**spec: Any) -> dict[str, Any]:
    return resume(originRef=None, originRunID="3", **spec)


# For each rule, an object that keeps it and one that breaks it, and no other.
CASES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("has(self.inline) ?", flowrun(code=PACKAGE), flowrun(code={}), "spec.code"),
    ("has(self.inline) ?", flowrun(), flowrun(code={"inline": "x", **PACKAGE}), "spec.code"),
    ("has(self.package)", flowrun(code=PACKAGE), flowrun(code={"package": "0" * 64}), "spec.code.script"),
    ("has(self.image) ||", IN_IMAGE, flowrun(code={**IMAGE, "script": "d.py"}, image=""), "spec.code.script"),
    ("has(self.code.image)", IN_IMAGE, flowrun(code=IMAGE), "spec.image"),
    ("has(self.resumeFrom)", RESUMED, flowrun(resumeFrom={"runID": "1"}, parameters={}), "spec.parameters"),
    ("!has(self.parameters)", resume(), resume(parameters={}), "spec.parameters"),
    ("has(self.originRef)", resume(), resume(originRef=None), "spec"),
    ("has(self.originRef)", resume(), resume(originRunID="3", flow="F"), "spec"),
    ("has(self.originRunID) ||", by_run(flow="F"), by_run(), "spec.flow"),
    ("has(self.originRunID) ||", by_run(code={"inline": "x"}), by_run(code=PACKAGE), "spec.flow"),
]  # fmt: skip


def broken(obj: dict[str, Any]) -> list[tuple[str, str]]:
    schema = structure.whole(crds.openapi(obj["kind"]))
    return list(rules.broken(structure.completed(obj, schema), schema))


@pytest.mark.parametrize(("rule", "good", "bad", "field"), CASES)
def test_a_rule_lets_the_good_pass_and_names_the_field_of_the_bad(
    rule: str, good: dict[str, Any], bad: dict[str, Any], field: str
) -> None:
    assert broken(good) == []
    assert [path for path, _ in broken(bad)] == [field]


def test_every_rule_for_a_new_object_holds_here_too() -> None:
    declared = {rule["rule"] for kind in crds.KINDS for _, rule in rules.declared(crds.openapi(kind))}
    assert declared == set(rules.RULES)


def test_every_rule_has_a_case() -> None:
    for rule in rules.RULES:
        assert any(part in rule for part, *_ in CASES), rule


def test_rules_stand_only_where_they_are_looked_for() -> None:
    def count(schema: Any) -> int:
        if isinstance(schema, dict):
            here = len(schema.get("x-kubernetes-validations", ()))
            return here + sum(
                count(value) for name, value in schema.items() if name != "x-kubernetes-validations"
            )
        return sum(map(count, schema)) if isinstance(schema, list) else 0

    for kind in crds.KINDS:
        schema = crds.openapi(kind)
        transitions = [
            rule
            for rule in schema["properties"]["spec"]["x-kubernetes-validations"]
            if "oldSelf" in rule["rule"]
        ]
        assert count(schema) == len(transitions) + len(list(rules.declared(schema)))
