"""The default card: what the step appended, then what there is to know of its task."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from reflow.cards import flowchart
from reflow.cards.kinds import MetaflowCard
from reflow.cards.page import page
from reflow.cards.parts import escape, failure, fold, pairs, section, shortened, text_of

MOST = 200  # artifacts
LARGEST = 1 << 18  # bytes of a value that is read to be shown
SECONDS = 3.0  # for reading them all


class DefaultCard(MetaflowCard):
    """Components, task, parameters, artifacts, and the flow's steps."""

    type = "default"
    ALLOW_USER_COMPONENTS = True
    RUNTIME_UPDATABLE = True

    def __init__(
        self,
        options: Mapping[str, Any] = {},
        components: Any = (),
        graph: Any = None,
        flow: Any = None,
    ) -> None:
        super().__init__(options, components, graph, flow)
        self._graph = graph or {}

    def render(self, task: Any) -> str:
        return self._page(task, "Succeeded" if task.successful else "Failed", self._artifacts(task))

    def render_runtime(self, task: Any, data: Any) -> str:
        return self._page(task, "Still running", "")

    def _page(self, task: Any, state: str, artifacts: str) -> str:
        flow, run, step, number = task.path_components
        head = f"<h1>{escape(f'{flow} / {run} / {step} / {number}')}</h1>"
        error = task.exception if artifacts or state != "Still running" else None
        told = failure(error.line, shortened(error.traceback, 50_000)) if error else ""
        about = section("Task", pairs(_about(task, state)))
        parameters = list(_parameters(task))
        given = section("Parameters", pairs(parameters)) if parameters else ""
        body = [head, told, *self.components, about, given, artifacts, self._steps(step)]
        return page(task.pathspec, "\n".join(part for part in body if part))

    def _artifacts(self, task: Any) -> str:
        found = [one for one in task if one.id not in task.parent.parent.parameters]
        until = time.monotonic() + SECONDS
        rows = [(escape(one.id), _artifact(one, until)) for one in found[:MOST]]
        left = f'<p class="note">{len(found) - MOST} more.</p>' if len(found) > MOST else ""
        return section("Artifacts", pairs(rows) + left) if rows else ""

    def _steps(self, here: str) -> str:
        rows = []
        for name, about in self._graph.items():
            mark = ' class="here"' if name == here else ""
            doc = f' <span class="note">{escape(about["doc"])}</span>' if about.get("doc") else ""
            leads = ", ".join(about.get("next", ()))
            rows.append(
                (f"<span{mark}>{escape(name)}</span>", f"{escape('→ ' + leads) if leads else ''}{doc}")
            )
        if not rows:
            return ""
        drawn = flowchart.picture(self._graph, here)
        shown = f'<figure class="wide">{drawn}</figure>' if drawn else ""
        is_first = not any(here in about.get("next", ()) for about in self._graph.values())
        if is_first:
            return section("Flow", shown + fold("Steps", pairs(rows)))
        return fold("Steps of the flow", shown + pairs(rows))


def _about(task: Any, state: str) -> Iterator[tuple[str, str]]:
    flow, run, step, _ = task.path_components
    yield "Flow", escape(flow)
    yield "Run", escape(run)
    yield "Step", escape(step)
    yield "Task", escape(task.pathspec)
    yield "Started", escape(_when(task.created_at))
    yield "State", escape(state)
    if state != "Still running":
        seconds = (task.finished_at - task.created_at).total_seconds()
        yield "Took", escape(f"{seconds:.1f} s")
    for name, label in (
        ("attempt", "Attempt"),
        ("python_version", "Python"),
        ("user", "User"),
        ("host", "Host"),
    ):
        if value := task.metadata_dict.get(name):
            yield label, escape(value)


def _parameters(task: Any) -> Iterator[tuple[str, str]]:
    for name, value in task.parent.parent.parameters.items():
        yield escape(name), f"<pre>{escape(text_of(value))}</pre>"


def _artifact(one: Any, until: float) -> str:
    kind = f'<span class="kind">{escape(one.type)}, {one.size} bytes</span>'
    if one.size > LARGEST or time.monotonic() > until:
        return kind
    try:
        text = text_of(one.data)
    except Exception as error:  # its class may not load here
        text = f"{type(error).__name__}: {error}"
    return f"{kind}<pre>{escape(text)}</pre>"


def _when(moment: Any) -> str:
    return str(moment.isoformat(" ", "seconds"))
