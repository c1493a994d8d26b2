"""The CRDs, the typed values and the operator's words say the same, field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest

from reflow.manifests import crds
from reflow.manifests.types import (
    API_VERSION,
    DEFAULT_MAX_WORKERS,
    DEFAULT_SCRIPT,
    ConditionType,
    FlowRunSpec,
    Phase,
    Resources,
    ResumeFrom,
    ResumeSpec,
    StepOverride,
)

Schema = Mapping[str, Any]


def spec(kind: str) -> Schema:
    found: Schema = crds.openapi(kind)["properties"]["spec"]
    return found


def status(kind: str) -> Schema:
    found: Schema = crds.openapi(kind)["properties"]["status"]
    return found


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join("ID" if word == "id" else word.capitalize() for word in rest)


def names(cls: type) -> set[str]:
    return {camel(field.name) for field in fields(cls)}


def walk(schema: Any, path: str = "") -> list[tuple[str, Schema]]:
    """Every schema below, with its path."""
    found = [(path, schema)]
    for name, field in schema.get("properties", {}).items():
        found += walk(field, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            found += walk(schema[name], f"{path}[]")
    return found


def test_a_flowruns_spec_has_the_fields_of_its_type() -> None:
    assert set(spec("FlowRun")["properties"]) == names(FlowRunSpec)


def test_a_resumes_spec_has_the_fields_of_its_type_and_the_one_that_it_forbids() -> None:
    assert set(spec("Resume")["properties"]) == names(ResumeSpec) | {"parameters"}


@pytest.mark.parametrize("kind", crds.KINDS)
def test_a_steps_override_has_the_fields_of_its_type(kind: str) -> None:
    step = spec(kind)["properties"]["steps"]["additionalProperties"]
    assert set(step["properties"]) == names(StepOverride)
    assert set(step["properties"]["resources"]["properties"]) == names(Resources)


def test_what_a_run_goes_on_from_has_the_fields_of_its_type() -> None:
    assert set(spec("FlowRun")["properties"]["resumeFrom"]["properties"]) == names(ResumeFrom)


@pytest.mark.parametrize("kind", crds.KINDS)
def test_code_is_named_as_in_the_types(kind: str) -> None:
    code = spec(kind)["properties"]["code"]["properties"]
    assert set(code) == {"inline", "package", "script", "image"}
    assert re.fullmatch(code["script"]["pattern"], DEFAULT_SCRIPT)


def test_defaults_are_the_types_defaults() -> None:
    properties = spec("FlowRun")["properties"]
    assert properties["maxWorkers"]["default"] == DEFAULT_MAX_WORKERS
    defaults = {name: field["default"] for name, field in properties.items() if "default" in field}
    assert defaults == {"maxWorkers": DEFAULT_MAX_WORKERS, "suspend": False, "cancel": False}
    resume = spec("Resume")["properties"]
    assert {name for name, field in resume.items() if "default" in field} == {"suspend", "cancel"}


def test_what_both_kinds_have_they_have_alike() -> None:
    def shape(schema: Any) -> Any:
        if isinstance(schema, dict):
            return {
                name: shape(value) for name, value in schema.items() if name not in ("description", "default")
            }
        return [shape(item) for item in schema] if isinstance(schema, list) else schema

    run, resume = spec("FlowRun")["properties"], spec("Resume")["properties"]
    for name in (set(run) & set(resume)) - {"parameters"}:
        assert shape(run[name]) == shape(resume[name]), name
    run, resume = status("FlowRun")["properties"], status("Resume")["properties"]
    assert set(resume) == set(run) | {"flowRun"}
    for name in run:
        assert shape(run[name]) == shape(resume[name]), name


@pytest.mark.parametrize("kind", crds.KINDS)
def test_phases_and_version_are_the_types(kind: str) -> None:
    assert status(kind)["properties"]["phase"]["enum"] == list(Phase)
    definition = crds.definition(kind)["spec"]
    assert f"{definition['group']}/{definition['versions'][0]['name']}" == API_VERSION
    assert definition["names"]["kind"] == kind


@pytest.mark.parametrize("kind", crds.KINDS)
def test_conditions_are_explained(kind: str) -> None:
    text = status(kind)["properties"]["conditions"]["description"]
    assert [word for word in ConditionType if word not in text] == []


@pytest.mark.parametrize("kind", crds.KINDS)
def test_everything_has_a_limit_and_says_what_it_is(kind: str) -> None:
    for path, schema in walk(crds.openapi(kind)):
        if path in ("", ".apiVersion", ".kind", ".metadata", ".spec"):
            continue
        own = ".status.conditions[]"  # Kubernetes' own words
        if not path.endswith("[]") and not path.startswith(own):
            assert schema.get("description"), path
        match schema.get("type"):
            case "string":
                assert {"maxLength", "enum", "format"} & set(schema), path
            case "integer":
                assert "minimum" in schema, path
                assert "format" in schema, path
            case "array":
                assert "maxItems" in schema, path
                assert schema["x-kubernetes-list-type"] == "map", path
            case "object" if "additionalProperties" in schema:
                assert "maxProperties" in schema, path


MUTABLE = {"maxWorkers", "suspend", "cancel", "activeDeadlineSeconds", "ttlSecondsAfterFinished"}


@pytest.mark.parametrize("kind", crds.KINDS)
def test_all_but_five_fields_can_not_be_changed_nor_added_nor_taken_away(kind: str) -> None:
    rules = {
        rule["rule"]: rule for rule in spec(kind)["x-kubernetes-validations"] if "oldSelf" in rule["rule"]
    }
    for name in set(spec(kind)["properties"]) - MUTABLE - ({"parameters"} if kind == "Resume" else set()):
        if name in spec(kind).get("required", ()):
            rule = f"self.{name} == oldSelf.{name}"
        else:
            rule = f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})"
        assert rules.pop(rule)["fieldPath"] == f".{name}"
    assert [rule["fieldPath"] for rule in rules.values()] == [".cancel"]


@pytest.mark.parametrize("kind", crds.KINDS)
def test_a_rules_message_is_a_sentence_and_its_field_is_there(kind: str) -> None:
    for path, schema in walk(crds.openapi(kind)):
        for rule in schema.get("x-kubernetes-validations", ()):
            assert rule["message"].endswith("."), (path, rule)
            assert rule["reason"] in ("FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired")
            if "fieldPath" in rule:
                assert rule["fieldPath"].removeprefix(".") in schema["properties"]


@pytest.mark.parametrize("kind", crds.KINDS)
def test_printer_columns_show_fields_that_are_there(kind: str) -> None:
    version = crds.definition(kind)["spec"]["versions"][0]
    paths = {path for path, _ in walk(crds.openapi(kind))} | {".metadata.creationTimestamp"}
    columns = {column["name"]: column for column in version["additionalPrinterColumns"]}
    assert {column["jsonPath"] for column in columns.values()} <= paths
    shown = [name for name, column in columns.items() if not column.get("priority")]
    assert shown == ["Phase", "Flow" if kind == "FlowRun" else "Origin", "Run", "Done", "Failed-Step", "Age"]
    assert {field["jsonPath"] for field in version["selectableFields"]} <= paths
    assert version["subresources"] == {"status": {}}
