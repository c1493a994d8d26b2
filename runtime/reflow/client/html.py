"""How the client's objects look in a notebook: a title and a small table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from itertools import islice
from typing import Any

MOST_ROWS = 20
LONGEST = 200  # characters of a value

Row = Sequence[object]


def card(title: str, note: str, columns: Sequence[str], rows: Iterable[Row]) -> str:
    """A title, a line below it, and the first rows of a table. All texts are escaped."""
    shown = list(islice(rows, MOST_ROWS + 1))
    more = f"<p>… the first {MOST_ROWS} are shown.</p>" if len(shown) > MOST_ROWS else ""
    head = "".join(f"<th style='text-align:left'>{escape(column)}</th>" for column in columns)
    body = "".join(_row(row) for row in shown[:MOST_ROWS])
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    below = f"<div>{escape(note)}</div>" if note else ""
    return f"<div><b>{escape(title)}</b>{below}{table}{more}</div>"


def _row(row: Row) -> str:
    return (
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(text(cell))}</td>" for cell in row) + "</tr>"
    )


def text(value: object) -> str:
    """Short, for a table's cell."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, frozenset | set | tuple | list):
        return ", ".join(sorted(map(str, value)))
    found = str(value)
    return found if len(found) <= LONGEST else found[:LONGEST] + "…"


def of_flows(flows: Any) -> str:
    """All flows of a store."""
    return card("Flows", "", ("flow",), ((flow.id,) for flow in flows))


def of_flow(flow: Any) -> str:
    """Its newest runs."""
    rows = ((run.id, run.status, run.created_at, run.user_tags, run.origin_pathspec) for run in flow)
    return card(f"Flow {flow.id}", "", ("run", "status", "started", "tags", "resumed from"), rows)


def of_run(run: Any) -> str:
    """Its steps, and how many tasks of each have succeeded and failed."""
    counts: dict[str, list[int]] = {}
    for entry in run._store.index(run.id):
        counts.setdefault(entry.key.step, [0, 0])[not entry.status.finished] += 1
    failed = run.exception
    note = f"{run.status}, started {text(run.created_at)}" + (f"; {failed.line}" if failed else "")
    rows = ((step.id, *counts.get(step.id, (0, 0))) for step in reversed(list(run)))
    return card(f"Run {run.pathspec}", note, ("step", "succeeded", "failed"), rows)


def of_step(step: Any) -> str:
    """Its tasks."""
    rows = ((task.id, _state(task), task.finished_at) for task in step)
    return card(f"Step {step.pathspec}", "", ("task", "state", "ended"), rows)


def of_task(task: Any) -> str:
    """Its artifacts: none is loaded for that."""
    failed = task._record.exception
    note = _state(task) + (f": {failed.line}" if failed else "")
    return card(f"Task {task.pathspec}", note, ("artifact", "type", "bytes"), _artifacts(task))


def _artifacts(task: Any) -> Iterator[Row]:
    return ((artifact.id, artifact.type, artifact.size) for artifact in task)


def _state(task: Any) -> str:
    cloned = f", cloned from {task.origin_pathspec}" if task.origin_pathspec else ""
    return ("succeeded" if task.successful else "failed, caught" if task.finished else "failed") + cloned


def of_artifact(artifact: Any) -> str:
    """What is known of it without loading it."""
    return card(f"Artifact {artifact.pathspec}", f"{artifact.type}, {artifact.size} bytes pickled", (), ())
