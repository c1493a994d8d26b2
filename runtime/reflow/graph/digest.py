"""A graph's fingerprint, by which a task knows that its code is of the run's graph."""

from __future__ import annotations

import hashlib
import json

from reflow.graph.types import Graph


def digest(graph: Graph) -> str:
    """SHA-256, in hex, of what steers the run: steps, kinds, targets, foreaches, conditions, cases, joins.

    Lines, docs, decorators and the order of the steps in the file don't count: a run may override policies,
    and moving a step about doesn't change what happens.
    """
    steps = {
        step.name: [
            step.kind.value,
            list(step.targets),
            step.foreach,
            step.condition,
            sorted(map(list, step.cases)),
            step.is_join,
        ]
        for step in graph.steps.values()
    }
    text = json.dumps(steps, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
