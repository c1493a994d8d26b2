"""The chart says what the CRDs, the operator and the package say. No helm needed."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from reflow_operator import constants
from reflow_operator.settings import RUNTIME_MODES, Settings, parse_settings

REPO = Path(__file__).resolve().parents[3]
CHART = REPO / "helm"

# What an operator can be told and a chart's user has no need to.
NOT_IN_THE_CHART = {"parallel_requests", "store_threads"}


def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return found


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
    return found


def template(name: str) -> str:
    return (CHART / "templates" / name).read_text()


def variables() -> set[str]:
    return set(re.findall(r"- name: (REFLOW_[A-Z_]+)", template("deployment.yaml")))


def test_the_chart_installs_the_crds_and_no_copy_of_them() -> None:
    link = CHART / "files" / "crds"
    assert link.is_symlink()
    assert link.resolve() == REPO / "crds"


@pytest.mark.parametrize("file", sorted((REPO / "crds").iterdir()), ids=lambda file: file.name)
def test_a_crd_has_the_line_that_the_chart_adds_its_labels_after(file: Path) -> None:
    assert file.read_text().count("\nmetadata:\n") == 1
    assert "{{" not in file.read_text()


def test_chart_and_package_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["appVersion"], chart["version"]) == (version, version)


def test_the_default_values_fit_their_schema() -> None:
    jsonschema.Draft7Validator(schema()).validate(values())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("image.tag", "latest"),
        ("runtime.image.tag", "latest"),
        ("defaultImage", "python:latest"),
        ("runtime.mode", "pip"),
        ("s3.endpoint", "minio:9000"),
        ("s3.bucket", "Not_A_Bucket"),
        ("store.namespaces", ["Team"]),
        ("watchNamespaces", "team"),
        ("misspelt", 1),
        ("s3.existingsecret", "x"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(path: str, value: Any) -> None:
    given = values()
    *above, last = path.split(".")
    inner = given
    for name in above:
        inner = inner[name]
    inner[last] = value
    assert not jsonschema.Draft7Validator(schema()).is_valid(given)


def test_every_value_is_in_the_schema_and_every_field_of_the_schema_has_a_default() -> None:
    unset = {"global", "nameOverride", "fullnameOverride", "pullPolicy"}

    def compare(value: Any, part: dict[str, Any], path: str) -> None:
        if "$ref" in part:
            part = schema()["definitions"][part["$ref"].rpartition("/")[2]]
        if isinstance(value, dict) and part.get("additionalProperties") is False:
            assert set(value) - set(part["properties"]) == set(), path
            assert set(part["properties"]) - set(value) - unset <= {"requests", "limits"}, path
            for name in value:
                compare(value[name], part["properties"][name], f"{path}.{name}")

    compare(values(), schema(), "")


def test_every_value_is_used() -> None:
    text = "\n".join(file.read_text() for file in (CHART / "templates").rglob("*") if file.is_file())
    for name, value in values().items():
        for inner in value if isinstance(value, dict) else ():
            used = f".Values.{name}.{inner}" in text or f".Values.{name}\n" in text or f"$s3.{inner}" in text
            assert used or re.search(rf"\.Values\.{name}\b(?!\.)", text), f"{name}.{inner}"
        assert f".Values.{name}" in text, name


def test_the_operator_is_told_all_that_it_can_be_told() -> None:
    fields = set(Settings.__dataclass_fields__) - NOT_IN_THE_CHART
    assert variables() == {f"REFLOW_{name.upper()}" for name in fields}


def test_the_charts_defaults_are_the_operators() -> None:
    operator, settings = values()["operator"], Settings()
    assert operator["workers"] == settings.workers
    assert (operator["qps"], operator["burst"]) == (settings.qps, settings.burst)
    assert operator["graceSeconds"] == settings.grace_seconds
    assert operator["imagePatienceSeconds"] == settings.image_patience
    assert operator["logLevel"] == settings.log_level
    assert values()["image"]["pullPolicy"] == settings.image_pull_policy
    assert values()["runtime"]["mode"] == settings.runtime_mode


def test_the_charts_choices_are_the_operators() -> None:
    assert set(schema()["properties"]["runtime"]["properties"]["mode"]["enum"]) == set(RUNTIME_MODES)
    for level in schema()["properties"]["operator"]["properties"]["logLevel"]["enum"]:
        assert parse_settings([], {"REFLOW_LOG_LEVEL": level}).log_level == level


def test_the_operator_listens_where_it_is_asked() -> None:
    assert f'value: "{Settings().probe_port}"' in template("deployment.yaml")
    assert f"containerPort: {Settings().probe_port}" in template("deployment.yaml")


def test_only_the_stores_secret_may_be_read_and_it_is_the_one_that_is_made() -> None:
    rules = yaml.safe_load(re.sub(r"\{\{.*?\}\}", "", template("_rules.tpl"), flags=re.S))
    (secrets,) = [rule for rule in rules if "secrets" in rule["resources"]]
    assert secrets == {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": [constants.SECRET_NAME],
        "verbs": ["get"],
    }
    assert f"name: {constants.SECRET_NAME}\n" in template("store.yaml")


def test_the_operator_may_do_nothing_to_everything() -> None:
    rules = yaml.safe_load(re.sub(r"\{\{.*?\}\}", "", template("_rules.tpl"), flags=re.S))
    for rule in rules:
        assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
