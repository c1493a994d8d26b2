"""Small manifests, graphs and records for the tests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from reflow.graph.types import Graph, Kind, Step
from reflow.store.flowstore import FlowStore
from reflow.store.values import CodeRef, Manifest, Origin, Record, Status
from reflow.values.key import TaskKey

FLOW = "TrainFlow"
GRAPH = Graph(
    FLOW,
    {
        "start": Step("start", Kind.FOREACH, ("train",), foreach="parts", line=5),
        "train": Step(
            "train", Kind.LINEAR, ("join",), foreach_scope=("start",), line=9, doc="Trains – näher."
        ),
        "join": Step("join", Kind.LINEAR, ("end",), is_join=True, joins="start", line=13),
        "end": Step("end", Kind.END, line=17),
    },
)
START = TaskKey("start")


def train(index: int) -> TaskKey:
    return TaskKey("train", (index,))


def manifest(owner: str = "", **fields: Any) -> Callable[[str], Manifest]:
    """What `claim` wants: a manifest for any id, of a random owner where none is named."""
    made = Manifest(
        flow=FLOW,
        run="",
        owner=owner or os.urandom(8).hex(),
        created=time.time(),
        graph=GRAPH,
        digest="d1",
        code=CodeRef("train.py"),
    )
    return lambda run: replace(made, run=run, **fields)


def resumed(origin: str, clones: Mapping[str, tuple[TaskKey, ...]]) -> Callable[[str], Manifest]:
    return manifest(origin=Origin(origin), clones=clones)


def record(key: TaskKey, status: Status = Status.SUCCEEDED, **fields: Any) -> Record:
    made = Record(key, 0, 0, os.urandom(8).hex(), status, started=1000.5, ended=1001.25, python="3.11.7")
    return replace(made, **fields)


def failed(key: TaskKey, attempt: int = 0, **fields: Any) -> Record:
    return record(key, Status.FAILED, attempt=attempt, launch=attempt, **fields)


def run_with_results(flow: FlowStore, *keys: TaskKey) -> str:
    """A new run in which these tasks have finished."""
    run = flow.claim(manifest()).run
    for key in keys:
        flow.commit(run, record(key))
    return run
