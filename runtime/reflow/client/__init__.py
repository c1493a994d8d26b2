"""Reading what runs have left: flows, runs, steps, tasks, artifacts. In a notebook or a script of one's own.

from reflow import Flow, Run

run = Flow("DebugFlow").latest_run
run["a"].task.data.x
"""

from __future__ import annotations

from reflow.client.artifact import DataArtifact
from reflow.client.base import Named as MetaflowObject
from reflow.client.code import Code as MetaflowCode
from reflow.client.data import TaskData as MetaflowData
from reflow.client.errors import (
    MetaflowInvalidPathspec,
    MetaflowNamespaceMismatch,
    MetaflowNotFound,
    MetaflowTaggingError,
)
from reflow.client.flow import Flow, Reflow
from reflow.client.namespaces import default_namespace, get_namespace, namespace
from reflow.client.place import default_metadata, get_metadata, inspect_spin, metadata
from reflow.client.run import Run
from reflow.client.step import Step
from reflow.client.task import Task

Metaflow = Reflow

__all__ = [
    "DataArtifact",
    "Flow",
    "Metaflow",
    "MetaflowCode",
    "MetaflowData",
    "MetaflowInvalidPathspec",
    "MetaflowNamespaceMismatch",
    "MetaflowNotFound",
    "MetaflowObject",
    "MetaflowTaggingError",
    "Reflow",
    "Run",
    "Step",
    "Task",
    "default_metadata",
    "default_namespace",
    "get_metadata",
    "get_namespace",
    "inspect_spin",
    "metadata",
    "namespace",
]
