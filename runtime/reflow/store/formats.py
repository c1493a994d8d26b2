"""Manifests, records and ends of runs as JSON, and back.

Fields at their default are left out; unknown ones are ignored, so that older code reads what newer code
of the same format adds. What isn't whole JSON of the right shape raises CorruptObject; a higher format
number, NewerFormat.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from reflow.graph.codec import graph_from_json, graph_to_json
from reflow.store import clones, layout
from reflow.store.values import (
    FORMAT,
    ArtifactRef,
    CodeRef,
    ExceptionInfo,
    ItemsRef,
    LogRef,
    Manifest,
    Origin,
    Record,
    RunEnd,
    Status,
)
from reflow.values.errors import CorruptObject, NewerFormat
from reflow.values.key import TaskKey
from reflow.values.untrusted import count, identifier, moment, text

T = TypeVar("T")
Json = dict[str, Any]
_STATUS = {status.value: status for status in Status}
_NO_LOG = LogRef()


def dumps(value: Any) -> bytes:
    """Compact JSON in ASCII, so that text with lone surrogates survives too."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def read(data: bytes, where: str, build: Callable[[Json], T]) -> T:
    """Parse an object's JSON, check its format, build the value. `where`: the object's key, for messages."""
    return read_all([data], where, build)[0]


def read_all(parts: Sequence[bytes], where: str, build: Callable[[Json], T]) -> list[T]:
    """As `read`, for many pieces of one object: parsed as one array, which is a third quicker."""
    try:
        every = json.loads(f"[{b','.join(parts).decode('ascii')}]")
        version = max((found["v"] for found in every), default=0)
        if len(every) != len(parts):
            raise ValueError("more or less than was written")
        if version <= FORMAT:
            return [build(found) for found in every]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise CorruptObject(
            f"The object {where} in the store is damaged or was cut short ({type(error).__name__}: {error})."
            f" {_what_to_do(where)}"
        ) from error
    raise NewerFormat(
        f"{where} was written by a newer Reflow, in format {version}; this one reads up to format {FORMAT}."
        " Use that version of Reflow, or a later one."
    )


def _what_to_do(where: str) -> str:
    """Where nothing has kept a copy of the object."""
    parts = where.split("/")
    if "tasks" in parts:
        return "Put it back from a copy of the store, or delete it: a resume then runs this task again."
    if parts[-1] in ("end", "tags", "alive") or "tagging" in parts:
        return "Delete it: nothing else is lost."
    if parts[-1] == "manifest":
        return f"Put it back from a copy of the store, or delete the run: `gc --run {parts[-2]}`."
    return "Put it back from a copy of the store. Other runs can be used as before."


# Manifest


def encode_manifest(manifest: Manifest) -> bytes:
    found: Json = {
        "v": FORMAT,
        "flow": manifest.flow,
        "run": manifest.run,
        "owner": manifest.owner,
        "created": manifest.created,
        "digest": manifest.digest,
        "code": {
            "script": manifest.code.script,
            "sha256": manifest.code.sha256,
            "alias": manifest.code.alias,
        },
        "parameters": dict(manifest.parameters),
        "user": manifest.user,
        "tags": list(manifest.tags),
        "python": manifest.python,
        "place": manifest.place,
        "graph": graph_to_json(manifest.graph),
    }
    if manifest.origin:
        found["origin"] = {"run": manifest.origin.run, "from_step": manifest.origin.from_step}
    if manifest.request:
        found["request"] = dict(manifest.request)
    for name in ("configs", "project", "environments"):
        if getattr(manifest, name):
            found[name] = dict(getattr(manifest, name))
    if manifest.clones:
        found["clones"] = clones.to_json(manifest.clones)
    return dumps(found)


def decode_manifest(data: bytes, where: str) -> Manifest:
    return read(data, where, _manifest)


def _manifest(found: Json) -> Manifest:
    code, origin = found["code"], found.get("origin")
    return Manifest(
        flow=identifier(found["flow"]),
        run=layout.run_id(found["run"]),
        owner=text(found["owner"]),
        created=moment(found["created"]),
        graph=graph_from_json(found["graph"]),
        digest=text(found["digest"]),
        code=CodeRef(text(code["script"]), code.get("sha256"), code.get("alias", False)),
        parameters=found.get("parameters", {}),
        origin=Origin(layout.run_id(origin["run"]), origin.get("from_step")) if origin else None,
        clones=clones.from_json(found.get("clones", {})),
        user=text(found.get("user", "")),
        tags=tuple(map(text, found.get("tags", ()))),
        python=text(found.get("python", "")),
        place=text(found.get("place", "local")),
        request=found.get("request", {}),
        configs=found.get("configs", {}),
        project=found.get("project", {}),
        environments=found.get("environments", {}),
    )


# End of a run


def encode_end(end: RunEnd) -> bytes:
    found: Json = {"v": FORMAT, "succeeded": end.succeeded, "ended": end.ended, "message": end.message}
    found["failed_step"], found["failed_task"] = end.failed_step, end.failed_task
    return dumps(found)


def decode_end(data: bytes, where: str) -> RunEnd:
    def build(found: Json) -> RunEnd:
        return RunEnd(
            bool(found["succeeded"]),
            moment(found["ended"]),
            _text_or_none(found.get("failed_step")),
            _text_or_none(found.get("failed_task")),
            text(found.get("message", "")),
        )

    return read(data, where, build)


def _text_or_none(value: object) -> str | None:
    return None if value is None else text(value)


# Records


def encode_record(record: Record) -> bytes:
    return dumps(record_to_json(record))


def decode_record(data: bytes, where: str) -> Record:
    return read(data, where, record_from_json)


def decode_records(parts: Sequence[bytes], where: str) -> list[Record]:
    """The records whose JSON one object holds in pieces."""
    return read_all(parts, where, record_from_json)


def record_to_json(record: Record) -> Json:
    found: Json = {
        "v": FORMAT,
        **key_to_json(record.key),
        "attempt": record.attempt,
        "launch": record.launch,
        "nonce": record.nonce,
        "status": record.status.value,
        "started": record.started,
        "ended": record.ended,
    }
    optional = {
        "width": record.width,
        "case": record.case,
        "artifacts": {name: artifact_to_json(ref) for name, ref in record.artifacts.items()} or None,
        "inherited": {name: _inherited_to_json(*held) for name, held in record.inherited.items()} or None,
        "base": key_to_json(record.base) if record.base else None,
        "base_depth": record.base_depth or None,
        "items": items_to_json(record.items) if record.items else None,
        "exception": _exception_to_json(record.exception) if record.exception else None,
        "log": _log_to_json(record.log),
        "python": record.python or None,
        "packages": dict(record.packages) or None,
        "host": record.host or None,
        "pid": record.pid or None,
        "final": record.final or None,
    }
    found.update((name, value) for name, value in optional.items() if value is not None)
    return found


def record_from_json(found: Json) -> Record:
    get = found.get
    base, items, exception, log = get("base"), get("items"), get("exception"), get("log")
    return Record(
        key_from_json(found),
        count(found["attempt"]),
        count(found["launch"]),
        text(found["nonce"]),
        _status(found["status"]),
        moment(found["started"]),
        moment(found["ended"]),
        None if get("width") is None else count(get("width")),
        _text_or_none(get("case")),
        {name: artifact_from_json(ref) for name, ref in get("artifacts", {}).items()},
        {name: _inherited_from_json(held) for name, held in get("inherited", {}).items()},
        key_from_json(base) if base else None,
        get("base_depth", 0),
        items_from_json(items) if items else None,
        _exception_from_json(exception) if exception else None,
        LogRef(_bytes(log.get("inline")), log.get("parts", 0)) if log else _NO_LOG,
        get("python", ""),
        get("packages", {}),
        get("host", ""),
        get("pid", 0),
        get("final", False),
    )


def _status(text: str) -> Status:
    return _STATUS[text]


def key_to_json(key: TaskKey) -> Json:
    found: Json = {"step": key.step}
    if key.foreach:
        found["foreach"] = key.foreach
    if key.loop:
        found["loop"] = key.loop
    return found


def key_from_json(found: Mapping[str, Any]) -> TaskKey:
    step, foreach, loop = found["step"], found.get("foreach", ()), found.get("loop", ())
    return TaskKey(identifier(step), tuple(map(count, foreach)), tuple(map(count, loop)))


def artifact_to_json(ref: ArtifactRef) -> Json:
    found: Json = {"sha256": ref.sha256, "size": ref.size, "type": ref.type}
    if ref.inline is not None:
        found["inline"] = _text(ref.inline)
    if ref.packages:
        found["packages"] = ref.packages
    return found


def artifact_from_json(found: Json) -> ArtifactRef:
    get = found.get
    return ArtifactRef(
        found["sha256"], found["size"], text(found["type"]), _bytes(get("inline")), tuple(get("packages", ()))
    )


def _inherited_to_json(ref: ArtifactRef, holder: TaskKey) -> Json:
    return {**artifact_to_json(ref), "in": key_to_json(holder)}


def _inherited_from_json(found: Json) -> tuple[ArtifactRef, TaskKey]:
    return artifact_from_json(found), key_from_json(found["in"])


def items_to_json(items: ItemsRef) -> Json:
    found: Json = {
        "variable": items.variable,
        "width": items.width,
        "sha256": items.sha256,
        "size": items.size,
    }
    if items.inline is not None:
        found["inline"] = _text(items.inline)
    return found


def items_from_json(found: Json) -> ItemsRef:
    inline = _bytes(found.get("inline"))
    return ItemsRef(found["variable"], found["width"], found["sha256"], found["size"], inline)


def _exception_to_json(error: ExceptionInfo) -> Json:
    found: Json = {"type": error.type, "message": error.message, "traceback": error.traceback}
    if error.full:
        found["full"] = error.full
    if error.locals:
        found["locals"] = dict(error.locals)
    return found


def _exception_from_json(found: Json) -> ExceptionInfo:
    return ExceptionInfo(
        text(found["type"]),
        text(found["message"]),
        text(found["traceback"]),
        text(found.get("full", "")),
        {text(name): text(shown) for name, shown in found.get("locals", {}).items()},
    )


def _log_to_json(log: LogRef) -> Json | None:
    if log.inline is not None:
        return {"inline": _text(log.inline)}
    return {"parts": log.parts} if log.parts else None


def _text(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else a2b_base64(text)
