"""Manifests for tests: what every one must have, and what a test changes."""

from __future__ import annotations

from typing import Any


def flowrun(**spec: Any) -> dict[str, Any]:
    """A FlowRun that is fine, with the given fields of its spec; None takes one away."""
    return _object("FlowRun", {"flow": "DebugFlow", "code": {"inline": "pass\n"}, **spec})


def resume(**spec: Any) -> dict[str, Any]:
    """A Resume that is fine, with the given fields of its spec; None takes one away."""
    return _object("Resume", {"originRef": {"name": "debug-1"}, **spec})


def _object(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "reflow.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "debug-1"},
        "spec": {name: value for name, value in spec.items() if value is not None},
    }
