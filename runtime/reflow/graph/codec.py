"""A graph as JSON, for the run's manifest. What a newer Reflow adds is ignored; what an older left out has
defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflow.graph.types import Decorator, Graph, Kind, Step
from reflow.values.untrusted import identifier


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """A value for `json.dumps`. Fields that hold their default are left out."""
    found = {"flow": graph.flow, "steps": [_step_to_json(step) for step in graph.steps.values()]}
    return {**found, "decorators": _decorators_to_json(graph.decorators)} if graph.decorators else found


def graph_from_json(data: Mapping[str, Any]) -> Graph:
    """The graph that `graph_to_json` was given. Raises KeyError, TypeError or ValueError for anything"
    " else."""
    steps = {step["name"]: _step_from_json(step) for step in data["steps"]}
    return Graph(identifier(data["flow"]), steps, _decorators_from_json(data))


def _decorators_to_json(decorators: tuple[Decorator, ...]) -> list[dict[str, Any]]:
    return [{"name": it.name, "attributes": dict(it.attributes)} for it in decorators]


def _decorators_from_json(data: Mapping[str, Any]) -> tuple[Decorator, ...]:
    return tuple(Decorator(it["name"], it.get("attributes", {})) for it in data.get("decorators", ()))


def _step_to_json(step: Step) -> dict[str, Any]:
    data = {
        "name": step.name,
        "kind": step.kind.value,
        "targets": list(step.targets),
        "foreach": step.foreach,
        "condition": step.condition,
        "cases": [list(case) for case in step.cases],
        "is_join": step.is_join,
        "line": step.line,
        "doc": step.doc,
        "decorators": _decorators_to_json(step.decorators),
        "foreach_scope": list(step.foreach_scope),
        "loop_scope": list(step.loop_scope),
        "joins": step.joins,
    }
    return {name: value for name, value in data.items() if value not in (None, [], "", False, 0)}


def _step_from_json(data: Mapping[str, Any]) -> Step:
    return Step(
        name=identifier(data["name"]),
        kind=Kind(data["kind"]),
        targets=tuple(map(identifier, data.get("targets", ()))),
        foreach=data.get("foreach"),
        condition=data.get("condition"),
        cases=tuple((str(case), identifier(step)) for case, step in data.get("cases", ())),
        is_join=data.get("is_join", False),
        line=data.get("line", 0),
        doc=data.get("doc", ""),
        decorators=_decorators_from_json(data),
        foreach_scope=tuple(data.get("foreach_scope", ())),
        loop_scope=tuple(data.get("loop_scope", ())),
        joins=data.get("joins"),
    )
