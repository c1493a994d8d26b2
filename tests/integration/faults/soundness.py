"""Whether a store holds what it may hold, and nothing half-written: every object of it is read and checked."""

from __future__ import annotations

from hashlib import sha256

from reflow.store import catalog, formats, ledger, logs
from reflow.store.objects import ObjectStore
from reflow.store.values import Record


def check_all(objects: ObjectStore, flow: str) -> dict[tuple[str, str], Record]:
    """All results by (run, step/id). Fails where any object isn't whole."""
    results = {}
    for info in list(objects.list(f"{flow}/")):
        _, kind, *rest = info.key.split("/")
        data = objects.get(info.key)
        assert len(data) == info.size, info
        if kind in ("blobs", "code"):
            assert sha256(data).hexdigest() == rest[-1], f"{info.key} isn't what its name says"
        elif kind == "runs" and len(rest) > 1:
            record = _of_a_run(rest[1], rest[2:], data, info.key)
            if record is not None and info.key.endswith("_ok"):
                results[rest[0], record.key.path] = record
    catalog.read(objects, flow)
    return results


def _of_a_run(what: str, rest: list[str], data: bytes, key: str) -> Record | None:
    match what:
        case "manifest":
            formats.decode_manifest(data, key)
        case "end":
            formats.decode_end(data, key)
        case "tasks":
            return formats.decode_record(data, key)
        case "logs":
            list(logs.frames(data, key))
        case "ledger" if rest[0] == "index":
            ledger.decode_index(data, key)
        case "ledger":
            assert data.startswith(ledger.MAGIC), key
        case "alive" | "tags" | "tagging":
            formats.read(data, key, dict)
        case _:
            raise AssertionError(f"nothing of Reflow's: {key}")
    return None
