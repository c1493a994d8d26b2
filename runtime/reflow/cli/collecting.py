"""`gc`: shows what nobody needs any more, and with `--yes` deletes it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from reflow.cli.listing import flows_of
from reflow.cli.table import age, counted, size, table
from reflow.cli.target import Target
from reflow.store import gc
from reflow.store.gc import Amount, Garbage
from reflow.store.gc_runs import Wish
from reflow.store.open import open_store_long_lived
from reflow.values.errors import NotFound, UsageError

GRACE_DAYS = 7


def collect_garbage(target: Target, options: argparse.Namespace) -> int:
    """Raises NotFound, UsageError; StoreError or NewerFormat where something can't be read: then all that may be
    needed stays."""
    if options.doomed and (options.keep is not None or options.keep_newer_than is not None):
        raise UsageError(
            "--run names runs to delete, --keep and --keep-newer-than runs to keep: give one kind."
        )
    objects = open_store_long_lived(target.url)
    wishes = _wishes(target, options, list(flows_of(objects)))
    if options.yes and wishes:
        objects.check()  # refuses a store that can't be written before anything is deleted
    do = gc.collect if options.yes else gc.survey
    found = [do(objects, flow, wish) for flow, wish in wishes.items()]
    if options.json:
        print(json.dumps([_json(one, deleted=options.yes) for one in found], indent=1))
        return 0
    if not found:
        print(f"There is no run in the store {objects.url}: nothing to delete.", file=sys.stderr)
    for one in found:
        for line in described(one, deleted=options.yes):
            print(line)
    sys.stdout.flush()
    if not options.yes and any(one.total.objects for one in found):
        print("Nothing was deleted: `--yes` does it.", file=sys.stderr)
    return 0


def _wishes(target: Target, options: argparse.Namespace, there: list[str]) -> dict[str, Wish]:
    """What is wished for each flow. Raises NotFound for a flow that isn't there."""
    doomed: dict[str, set[str]] = {}
    for text in options.doomed:
        path = target.path(text, parts=(2,))
        doomed.setdefault(path.flow, set()).add(path.run)
    named = [target.flow] if target.flow else [*options.flows, *doomed] or there
    for flow in named:
        if flow not in there:
            raise NotFound(f"There is no run of a flow {flow} in the store {target.url}.")
    return {
        flow: Wish(frozenset(doomed.get(flow, ())), options.keep, options.keep_newer_than)
        for flow in dict.fromkeys(named)
    }


def described(found: Garbage, *, deleted: bool) -> Iterator[str]:
    """For people. `deleted`: whether it's gone, or would be deleted."""
    verb = "deleted" if deleted else "to delete"
    yield f"{found.flow}: {_amount(found.total)} {verb}, {_amount(found.live)} of values and code in use"
    now = time.time()
    rows = [
        (f"    run {one.run}", one.state.value, f"{age(now - one.created)} old", _amount(amount))
        for one, amount in sorted(found.runs.items(), key=lambda item: item[0].created)
    ]
    yield from table([("", "", "", ""), *rows])[1:]
    if found.contents.objects:
        yield f"    values and code that no run refers to: {_amount(found.contents)}"
    if found.leftovers.objects:
        yield f"    left by runs that were given up: {_amount(found.leftovers)}"
    if found.young.objects:
        yield f"    kept, though no run refers to it, until it's {GRACE_DAYS} days old: {_amount(found.young)}"
    for run, why in found.kept.items():
        yield f"    run {run} is kept: {why}"


def _amount(amount: Amount) -> str:
    return f"{counted(amount.objects, 'object')} ({size(amount.bytes)})"


def _json(found: Garbage, *, deleted: bool) -> dict[str, Any]:
    def plain(amount: Amount) -> dict[str, int]:
        return {"objects": amount.objects, "bytes": amount.bytes}

    return {
        "flow": found.flow,
        "deleted": deleted,
        "runs": [
            {
                "run": one.run,
                "state": one.state.value,
                "created": datetime.fromtimestamp(one.created, UTC).isoformat(timespec="milliseconds"),
                **plain(amount),
            }
            for one, amount in found.runs.items()
        ],
        "kept_runs": dict(found.kept),
        "contents": plain(found.contents),
        "leftovers": plain(found.leftovers),
        "young": plain(found.young),
        "in_use": plain(found.live),
        "total": plain(found.total),
    }
