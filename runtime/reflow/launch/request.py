"""What a user asks for when a run starts on the laptop, and the manifest that it becomes. Pure."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reflow.graph.types import Graph
from reflow.launch.resuming import ResumePlan
from reflow.store.values import CodeRef, Manifest, Origin
from reflow.values.dataclass import dataclass, field, replace
from reflow.values.limits import DEFAULT_MAX_NUM_SPLITS, DEFAULT_MAX_WORKERS
from reflow.values.policy import StepPolicy


@dataclass(frozen=True, slots=True)
class Flow:
    """The code as it is now: what its script gave once it was loaded."""

    name: str
    script: Path
    alias: bool
    graph: Graph
    digest: str


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_workers`: tasks at once; `max_num_splits`: the widest foreach that is let through."""

    max_workers: int = DEFAULT_MAX_WORKERS
    max_num_splits: int = DEFAULT_MAX_NUM_SPLITS
    fresh_process: bool = False


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is to be.

    `parameters`: JSON values by name, complete; `owner`: a UID of this call's own; `asked`: a FlowRun's spec without
    its code; `wanted`: run ids to claim, the first that no other owner has, none for the next number; `on_claim`:
    called once the run has its id; `new_parameters`: for a resume, the values of those that its origin had not.
    `terminal`: a debugger in a task gets this process's terminal, where tasks run one at a time; `post_mortem`: it
    opens where a step raises; `full_traceback`: with Reflow's own frames; `given`: a file of artifacts,
    for a spin.
    """

    flow: Flow
    owner: str
    user: str
    created: float
    policies: Mapping[str, StepPolicy]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    limits: Limits = Limits()
    asked: Mapping[str, Any] = field(default_factory=dict)
    wanted: tuple[str, ...] = ()
    on_claim: Callable[[Manifest], None] = lambda _: None
    new_parameters: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: {}
    configs: Mapping[str, Any] = field(default_factory=dict)
    project: Mapping[str, Any] = field(default_factory=dict)
    terminal: bool = False
    post_mortem: bool = False
    full_traceback: bool = False
    given: str = ""
    namespace: str = ""  # that the Client uses in the steps; "" for the user's own


def new_manifest(
    request: RunRequest, run: str, code: CodeRef, environments: Mapping[str, Any] | None = None
) -> Manifest:
    """The manifest of a plain run. `environments`: the packages of its steps, locked."""
    return Manifest(
        flow=request.flow.name,
        run=run,
        owner=request.owner,
        created=request.created,
        graph=request.flow.graph,
        digest=request.flow.digest,
        code=code,
        parameters=request.parameters,
        user=request.user,
        tags=request.tags,
        python=platform.python_version(),
        request=request.asked,
        configs=request.configs,
        project=request.project,
        environments=environments or {},
    )


def resume_manifest(
    request: RunRequest,
    run: str,
    code: CodeRef,
    origin: Manifest,
    plan: ResumePlan,
    from_step: str | None,
    environments: Mapping[str, Any] | None = None,
) -> Manifest:
    """The manifest of a resume: the origin's parameters and tags, and the frozen set of what is cloned."""
    return replace(
        new_manifest(request, run, code, environments),
        parameters={**origin.parameters, **request.new_parameters(origin.parameters)},
        origin=Origin(run=origin.run, from_step=from_step),
        clones=plan.clones,
        tags=tuple(dict.fromkeys((*origin.tags, *request.tags))),
        configs={**request.configs, **origin.configs},
        project=request.project or origin.project,
    )
