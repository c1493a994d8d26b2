"""Short ways to make what the operator's tests need."""

from __future__ import annotations

from typing import Any

from reflow.engine.events import Start
from reflow.graph.build import from_text
from reflow.graph.types import Graph
from reflow.values.key import TaskKey
from reflow_operator import constants
from reflow_operator.pods import Owner, launch_annotation
from reflow_operator.podview import PodView

OWNER = Owner("team", "debug-1", "aaaaaaaa-0000-0000-0000-000000000001", "DebugFlow", "k8s-debug-1")

DEBUG = """
from reflow import FlowSpec, step

class DebugFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)

    @step
    def a(self):
        self.x = 1
        self.next(self.join)

    @step
    def b(self):
        self.x = int('2fail')
        self.next(self.join)

    @step
    def join(self, inputs):
        print(sum(input.x for input in inputs))
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == '__main__':
    DebugFlow()
"""

WIDE = """
from reflow import FlowSpec, step

class WideFlow(FlowSpec):
    @step
    def start(self):
        self.items = list(range(20))
        self.next(self.work, foreach='items')

    @step
    def work(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == '__main__':
    WideFlow()
"""


def graph(text: str = DEBUG) -> Graph:
    return from_text(text, "flow.py").graph


def pod_view(step: str = "b", **changes: Any) -> PodView:
    """A running Pod's view."""
    values: dict[str, Any] = {
        "namespace": "team",
        "name": f"debug-1-{step}-0",
        "uid": f"uid-{step}",
        "version": 5,
        "run": "debug-1",
        "run_uid": OWNER.uid,
        "key": TaskKey(step),
        "phase": "Running",
        "created": 100.0,
    }
    return PodView(**{**values, **changes})


def pod_object(start: Start, status: dict[str, Any], **meta: Any) -> dict[str, Any]:
    """A Pod as the API server gives it."""
    return {
        "metadata": {
            "name": "p",
            "namespace": "team",
            "uid": "u",
            "resourceVersion": "7",
            "creationTimestamp": "2026-11-24T06:00:00Z",
            "labels": {constants.LABEL_RUN_UID: OWNER.uid},
            "annotations": {constants.ANNOTATION_TASK: launch_annotation(start)},
            "ownerReferences": [{"kind": "FlowRun", "name": "debug-1", "uid": OWNER.uid, "controller": True}],
            **meta,
        },
        "spec": {"nodeName": "node-1"},
        "status": status,
    }


def flowrun(name: str = "debug-1", code: str = DEBUG, flow: str = "DebugFlow", **spec: Any) -> dict[str, Any]:
    """A FlowRun as a user applies it."""
    return {
        "apiVersion": constants.API_VERSION,
        "kind": "FlowRun",
        "metadata": {"name": name, "namespace": "team"},
        "spec": {"flow": flow, "code": {"inline": code, "script": "debug.py"}, "maxWorkers": 100, **spec},
    }


def resume(name: str, **spec: Any) -> dict[str, Any]:
    """A Resume as a user applies it."""
    return {
        "apiVersion": constants.API_VERSION,
        "kind": "Resume",
        "metadata": {"name": name, "namespace": "team"},
        "spec": spec,
    }
