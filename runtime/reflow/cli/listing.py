"""`list`: the runs of a flow, or of all flows of a store, newest first."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from reflow.cli.table import age, counted, table
from reflow.cli.target import Target
from reflow.store import layout
from reflow.store.catalog import Listed
from reflow.store.flowstore import FlowStore
from reflow.store.objects import ObjectStore
from reflow.store.parallel import each
from reflow.values.dataclass import dataclass
from reflow.values.errors import NotFound
from reflow.values.key import TaskKey
from reflow.values.similar import did_you_mean
from reflow.values.untrusted import one_line

LIMIT = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A run and how it is: `succeeded`, `failed`, `stopped` (by Ctrl-C, a signal or a cancel), `running`, or `dead`: it
    has no end, and nobody works on it; `damaged`: what the store holds of it can't be read."""

    flow: str
    run: Listed
    state: str


def list_runs(target: Target, options: argparse.Namespace) -> int:
    """Raises NotFound where there is no such flow, or nothing at all."""
    objects = target.objects()
    flows = [target.flow] if target.flow else options.flows or list(flows_of(objects))
    every = [(flow, run) for flow in flows for run in runs_of(FlowStore(objects, flow), options.with_tags)]
    every.sort(key=lambda found: found[1].created, reverse=True)
    if not every:
        _complain(objects, flows, options.with_tags)
    limit = options.limit if options.limit is not None else 0 if options.json else LIMIT
    shown = list(islice(every, limit or None))
    rows = each(lambda found: _row(objects, *found), shown, at_once=objects.parallel)
    if options.json:
        print(json.dumps([_json(row) for row in rows], indent=1))
        return 0
    for line in table([HEADING, *_cells(rows, time.time(), several=target.flow is None)]):
        print(line)
    for row in rows:
        if row.run.problem:
            sys.stdout.flush()
            print(one_line(f"{row.flow}/{row.run.run}: {row.run.problem}"), file=sys.stderr)
    if any(row.state == "dead" for row in rows):
        sys.stdout.flush()
        print(
            "dead: its scheduler was killed, or its machine; `resume` goes on from what had finished.",
            file=sys.stderr,
        )
    if len(shown) < len(every):
        sys.stdout.flush()
        print(f"… and {counted(len(every) - len(shown), 'more run')}: --limit 0 shows all.", file=sys.stderr)
    return 0


def flows_of(objects: ObjectStore) -> Iterator[str]:
    """The flows that have runs."""
    for name in objects.list_folders(""):
        if next(objects.list_folders(layout.runs(name)), None):
            yield name


def runs_of(store: FlowStore, tags: Iterable[str]) -> list[Listed]:
    """Those with all these tags."""
    wanted = set(tags)
    return [run for run in store.listed() if wanted <= set(run.tags)]


def state_of(store: FlowStore, run: Listed) -> str:
    """As `Run.status` of the client, and one word more: `stopped`."""
    if run.problem:
        return "damaged"
    if run.end:
        return "succeeded" if run.end.succeeded else "failed" if run.end.failed_step else "stopped"
    if store.liveness(run.run).alive:
        return "running"
    return "succeeded" if store.result_exists(run.run, TaskKey(store.manifest(run.run).graph.end)) else "dead"


def _row(objects: ObjectStore, flow: str, run: Listed) -> Row:
    return Row(flow, run, state_of(FlowStore(objects, flow), run))


def _complain(objects: ObjectStore, flows: list[str], tags: list[str]) -> None:
    what = f" with the tag {' and '.join(tags)}" if tags else ""
    of = f" of {' or '.join(flows)}" if flows else ""
    meant = did_you_mean(flows[0], flows_of(objects)) if len(flows) == 1 and not tags else ""
    raise NotFound(f"There is no run{of}{what} in the store {objects.url}{meant}.")


HEADING = ("FLOW", "RUN", "STATE", "STARTED", "AGE", "ORIGIN", "FAILED", "USER", "TAGS")


def _cells(rows: Iterable[Row], now: float, *, several: bool) -> Iterator[tuple[str, ...]]:
    for row in rows:
        run, end = row.run, row.run.end
        yield (
            row.flow if several else "",
            run.run,
            row.state,
            datetime.fromtimestamp(run.created).isoformat(" ", "seconds"),
            age(now - run.created),
            run.origin or "",
            (end.failed_task or end.failed_step or "") if end else "",
            run.user if run.place == "local" else run.user or run.place,
            " ".join(run.tags),
        )


def _json(row: Row) -> dict[str, Any]:
    run, end = row.run, row.run.end
    return {
        "flow": row.flow,
        "run": run.run,
        "state": row.state,
        "created": _iso(run.created),
        "ended": _iso(end.ended) if end else None,
        "origin": run.origin,
        "from_step": run.from_step,
        "failed_step": end.failed_step if end else None,
        "failed_task": end.failed_task if end else None,
        "user": run.user,
        "place": run.place,
        "tags": list(run.tags),
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
