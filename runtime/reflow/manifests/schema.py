"""Manifests checked by the CRDs' own schemas, as strictly as `kubectl apply --validate=strict` does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from reflow.manifests import crds, rules, structure
from reflow.manifests.sentences import Fault, did_you_mean, sentences, shown
from reflow.manifests.types import API_VERSION
from reflow.values.errors import UsageError

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

MOST_ERRORS = 10  # more than that in one manifest are counted, not shown


def check(obj: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The object as an API server would store it: nulls dropped, defaults filled in.

    `where` says which manifest it is, for messages. Raises UsageError with a sentence for each thing that is
    wrong.
    """
    kind = _kind(obj, where)
    schema = structure.whole(crds.openapi(kind))
    value: dict[str, Any] = structure.completed(obj, schema)
    faults = sorted(map(_fault, _validator(kind).iter_errors(value)), key=lambda fault: fault.path)
    errors = [sentence for fault in faults for sentence in sentences(fault)]
    if not errors:
        # As in an API server: rules speak of objects that are in shape.
        errors = [f"{field}: {message}" for field, message in rules.broken(value, schema)]
    if errors:
        raise UsageError(_message(errors, where))
    return value


def _kind(obj: Mapping[str, Any], where: str) -> str:
    version, kind = obj.get("apiVersion"), obj.get("kind")
    if version != API_VERSION:
        raise UsageError(
            f"{where}: apiVersion is {shown(version)}; a manifest of Reflow's has {API_VERSION}."
        )
    if kind not in crds.KINDS:
        known = " and ".join(crds.KINDS)
        hint = did_you_mean(str(kind), crds.KINDS)
        raise UsageError(f"{where}: kind is {shown(kind)}; the kinds of {API_VERSION} are {known}.{hint}")
    return str(kind)


@cache
def _validator(kind: str) -> Validator:
    # Not at the top: it takes 0.1 s, and the operator never needs it.
    import jsonschema

    return jsonschema.Draft202012Validator(structure.json_schema(structure.whole(crds.openapi(kind))))


def _fault(error: ValidationError) -> Fault:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    return Fault(
        path=_path(error),
        rule=str(error.validator),
        limit=error.validator_value,
        value=error.instance,
        known=tuple(schema.get("properties", ())),
        message=error.message,
    )


def _path(error: ValidationError) -> str:
    found = ""
    for part in error.absolute_path:
        found += f"[{part}]" if isinstance(part, int) else f".{part}" if found else str(part)
    return found


def _message(errors: list[str], where: str) -> str:
    errors = list(dict.fromkeys(errors))
    if len(errors) == 1:
        return f"{where}: {errors[0]}"
    lines = [f"  {error}" for error in errors[:MOST_ERRORS]]
    if len(errors) > MOST_ERRORS:
        lines.append(f"  and {len(errors) - MOST_ERRORS} more.")
    return "\n".join([f"{where}: {len(errors)} things are wrong with it.", *lines])
