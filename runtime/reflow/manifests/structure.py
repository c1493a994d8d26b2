"""A CRD's structural schema, applied as the API server applies it to a new object. Pure.

It differs from JSON Schema in this: unknown fields are dropped, or refused under strict validation, which is
what is done here, unless `x-kubernetes-preserve-unknown-fields` keeps an object open; a null is dropped where
its field isn't nullable; defaults are filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_KEPT = (
    "type", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems",
    "minProperties", "maxProperties", "required", "anyOf", "oneOf", "allOf", "not",
)  # fmt: skip
_BOUNDS = {"int32": 2**31, "int64": 2**63}

# What an API server takes as metadata; it checks it itself, so no CRD can say it.
METADATA: Schema = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {
            "type": "string",
            "maxLength": 253,
            "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        },
        "namespace": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        "labels": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
        "finalizers": {"type": "array", "items": {"type": "string"}},
        "ownerReferences": {
            "type": "array",
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
        "generateName": {"type": "string"},
        "uid": {"type": "string"},
        "resourceVersion": {"type": "string"},
        "selfLink": {"type": "string"},
        "generation": {"type": "integer"},
        "creationTimestamp": {"type": "string", "nullable": True},
        "deletionTimestamp": {"type": "string", "nullable": True},
        "deletionGracePeriodSeconds": {"type": "integer"},
        "managedFields": {
            "type": "array",
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    },
}


def whole(openapi: Schema) -> Schema:
    """A kind's schema with what the API server adds to it: `apiVersion`, `kind`, and `metadata` in full."""
    properties = {**openapi["properties"], "metadata": METADATA}
    required = [*dict.fromkeys(("apiVersion", "kind", "metadata", *openapi.get("required", ())))]
    return {**openapi, "properties": properties, "required": required}


def json_schema(schema: Schema) -> dict[str, Any]:
    """JSON Schema that takes what strict validation takes."""
    found: dict[str, Any] = {name: schema[name] for name in _KEPT if name in schema}
    if schema.get("nullable"):
        found["type"] = [schema["type"], "null"]
    bound = _BOUNDS.get(schema.get("format", ""))
    if bound:
        found = {"minimum": -bound, "maximum": bound - 1, **found}
    if "items" in schema:
        found["items"] = json_schema(schema["items"])
    if schema.get("type") == "object":
        found["properties"] = {
            name: json_schema(field) for name, field in schema.get("properties", {}).items()
        }
        if "additionalProperties" in schema:
            found["additionalProperties"] = json_schema(schema["additionalProperties"])
        else:
            found["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    return found


def completed(value: Any, schema: Schema) -> Any:
    """The value with nulls dropped and defaults filled in, as an API server would. Unknown fields stay."""
    if isinstance(value, Mapping) and schema.get("type") == "object":
        return _completed_object(value, schema)
    if isinstance(value, list) and "items" in schema:
        return [completed(item, schema["items"]) for item in value]
    return value


def _completed_object(value: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    others: Schema | None = schema.get("additionalProperties")
    found = {}
    for name, item in value.items():
        field = properties.get(name, others)
        if field is None:
            found[name] = item
        elif item is not None or field.get("nullable"):
            found[name] = completed(item, field)
    for name, field in properties.items():
        if name not in found and "default" in field:
            found[name] = field["default"]
    return found
