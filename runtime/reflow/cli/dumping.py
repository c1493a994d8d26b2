"""`dump`: a task's artifacts, shown, as JSON, or pickled into a file."""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reflow.cli.attempts import shown
from reflow.cli.failures import locals_lines
from reflow.cli.table import size
from reflow.cli.target import Target
from reflow.environments.lock import told
from reflow.store.flowstore import FlowStore
from reflow.store.table import ArtifactTable
from reflow.store.values import ArtifactRef, Record
from reflow.values.errors import NotFound, ReflowError, StoreRefused
from reflow.values.untrusted import one_line


def dump(target: Target, options: argparse.Namespace) -> int:
    """Raises NotFound, UsageError; UnloadableValue where a value can't be pickled into the file."""
    path = target.tasks(options.path)
    store = target.flow_store(path.flow)
    tasks = (
        (f"{path.run}/{one.key.path}", one.record)
        for one in shown(store, path, None)
        if one.record is not None
    )
    if options.file:
        return _into_file(store, path.run, tasks, options)
    if options.json:
        found = {name: _json(store, path.run, record, options) for name, record in tasks}
        print(json.dumps(found, indent=1))
        return 0
    environments = store.manifest(path.run).environments
    for name, record in tasks:
        lines = _lines(store, path.run, record, options)
        first = next(lines, None)  # before anything is printed: a name that isn't there is an error
        print(name)
        if (about := told(environments, record.key.step)) is not None:
            print(f"    {one_line(_packages(about))}")
        if first is None and not options.include:
            print("    no artifacts")
        if first is not None:
            print(f"    {one_line(first)}")
        for line in lines:
            print(f"    {one_line(line)}")
    return 0


def _packages(about: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items()) or "no packages"
    return f"in an environment of its own (@{about['type']}): {packages}, Python {about['python']}"


def present(table: ArtifactTable, options: argparse.Namespace) -> Iterator[str]:
    """As `chosen`, without those that the task hasn't: of the tasks of a step, some may lack what others have."""
    wanted = {name.strip() for name in options.include.split(",") if name.strip()}
    for name in sorted(table):
        if name in wanted or (not wanted and (options.private or not name.startswith("_"))):
            yield name


def chosen(table: ArtifactTable, options: argparse.Namespace) -> Iterator[str]:
    """The names that are asked for. Raises NotFound for one that isn't there."""
    wanted = [name.strip() for name in options.include.split(",") if name.strip()]
    for name in wanted:
        if name not in table:
            raise NotFound(f"There is no artifact {name}; there are {', '.join(sorted(table)) or 'none'}.")
    for name in wanted or sorted(table):
        if options.private or wanted or not name.startswith("_"):
            yield name


def _lines(store: FlowStore, run: str, record: Record, options: argparse.Namespace) -> Iterator[str]:
    if record.exception and not record.status.finished:
        yield f"failed: {record.exception.line}"
        yield from locals_lines(record)
        return
    table = store.table(run, record)
    for name in chosen(table, options):
        text = _text(store, table, name, options.max_value_size)
        yield f"{name} = {text}"


def _text(store: FlowStore, table: ArtifactTable, name: str, largest: int) -> str:
    ref = table.ref(name)
    if ref.size > largest:
        return f"<{ref.type}, {size(ref.size)}>"
    try:
        return repr(_load(store, table, name))
    except ReflowError as error:
        return f"<{ref.type}, {size(ref.size)}: {error}>"


def _load(store: FlowStore, table: ArtifactTable, name: str) -> Any:
    ref, holder = table.held(name)
    return store.load(ref, name=name, made_by=holder)


def _json(store: FlowStore, run: str, record: Record, options: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"status": record.status.value, "attempt": record.attempt, "artifacts": {}}
    if record.exception:
        error = record.exception
        found["exception"] = {"type": error.type, "message": error.message, "locals": dict(error.locals)}
    if record.status.finished:
        table = store.table(run, record)
        for name in chosen(table, options):
            found["artifacts"][name] = _described(
                table.ref(name), _text(store, table, name, options.max_value_size)
            )
    return found


def _described(ref: ArtifactRef, text: str) -> dict[str, Any]:
    return {"type": ref.type, "size": ref.size, "sha256": ref.sha256, "repr": text}


def _into_file(
    store: FlowStore, run: str, tasks: Iterator[tuple[str, Record]], options: argparse.Namespace
) -> int:
    """As Metaflow: a dict of pathspecs, each with a dict of its artifacts."""
    found: dict[str, dict[str, Any]] = {}
    for name, record in tasks:
        table = store.table(run, record) if record.status.finished else None
        found[name] = {each: _load(store, table, each) for each in present(table, options)} if table else {}
    file: Path = options.file
    try:
        file.write_bytes(pickle.dumps(found, protocol=5))
    except OSError as error:
        raise StoreRefused(f"{file} can't be written: {error.strerror or error}.") from error
    print(f"The artifacts of {len(found)} task{'s' if len(found) != 1 else ''} are in {file}.")
    return 0
