"""`card list|get|view`: the cards that steps left."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from reflow.cards.getting import Card, cards_of, cards_of_run
from reflow.cli.table import counted, size, table
from reflow.cli.target import Path4, Target
from reflow.client.ids import parse_key
from reflow.store.flowstore import FlowStore
from reflow.values.errors import NotFound, ReflowError, StoreRefused, UsageError


def card(target: Target, options: argparse.Namespace) -> int:
    """Raises NotFound, UsageError."""
    path = _path(target, options.path)
    found = [one for one in _cards(target.flow_store(path.flow), path) if _is_wanted(one, options)]
    if options.card_command == "list":
        return _list(found, path, is_json=options.json)
    one = _only(found, path)
    if options.card_command == "view":
        return _view(one)
    if options.file is None:
        print(one.get(), end="")
        return 0
    try:
        options.file.write_text(one.get(), encoding="utf-8")
    except OSError as error:
        raise StoreRefused(f"{options.file} can't be written: {error.strerror or error}.") from error
    print(f"The card {one.id or one.type} of {one.pathspec} is in {options.file}.", file=sys.stderr)
    return 0


def _path(target: Target, text: str | None) -> Path4:
    """Of a script's flow: nothing for its last run here, STEP or STEP/TASK of that, RUN, RUN/STEP, RUN/STEP/TASK."""
    if not target.flow:
        if not text:
            raise UsageError("Name a run, step or task: FLOW/RUN[/STEP[/TASK]].")
        return target.path(text, parts=(2, 3, 4))
    step, *task = (text or "").split("/")
    if text and (len(task) > 1 or not target.has_step(step)):
        parts = text.strip("/").split("/")
        return target.path(
            "/".join(parts if parts[0] == target.flow else [target.flow, *parts]), parts=(2, 3, 4)
        )
    return Path4(*target.told_last_run(), step or None, *task)


def _cards(store: FlowStore, path: Path4) -> Iterable[Card]:
    if path.task is not None:
        key = parse_key(store.manifest(path.run), path.step or "", path.task)
        return cards_of(store, path.run, key)
    steps = store.manifest(path.run).graph.steps
    if path.step is not None and path.step not in steps:
        raise NotFound(
            f"The run {path.flow}/{path.run} has no step {path.step}; its steps are {', '.join(steps)}."
        )
    return cards_of_run(store, path.run, path.step)


def _is_wanted(one: Card, options: argparse.Namespace) -> bool:
    return (
        options.id in (None, one.id)
        and options.type in (None, one.type)
        and (options.hash is None or one.hash.startswith(options.hash))
    )


def _list(found: list[Card], path: Path4, *, is_json: bool) -> int:
    if is_json:
        print(json.dumps([_told(one) for one in found], indent=1))
    elif not found:
        print(f"No cards of {_name(path)}.")
    else:
        print("\n".join(_table(found)))
    return 0


def _table(found: Iterable[Card]) -> list[str]:
    rows = [("task", "id", "type", "size", "hash", "of")]
    rows += [
        (_task(one), one.id or "", one.type, size(one.size), one.hash[:10], one.origin_pathspec or "")
        for one in found
    ]
    return table(rows)


def _task(one: Card) -> str:
    return one.pathspec.partition("/")[2]


def _told(one: Card) -> dict[str, object]:
    return {
        "pathspec": one.pathspec,
        "id": one.id,
        "type": one.type,
        "hash": one.hash,
        "size": one.size,
        "origin": one.origin_pathspec,
    }


def _only(found: list[Card], path: Path4) -> Card:
    """Raises NotFound where there's none, UsageError where there are several."""
    if not found:
        raise NotFound(f"There is no such card of {_name(path)}.")
    if len(found) > 1:
        lines = "\n".join(f"  {line}" for line in _table(found))
        raise UsageError(
            f"There are {counted(len(found), 'card')} of {_name(path)}: name a task, or say --id, --type or --hash."
            f"\n{lines}"
        )
    return found[0]


def _name(path: Path4) -> str:
    return "/".join(part for part in (path.flow, path.run, path.step, path.task) if part)


def _view(one: Card) -> int:
    from reflow.cards.viewing import view

    file = view(one.get(), one.path)
    if file is None:
        raise ReflowError("No browser is found here. `card get … FILE` writes the card into a file.")
    print(f"Opened {file}.")
    return 0
