"""What a user's flow is written with. Names and behaviour are Metaflow's."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reflow.sdk.currently import current
from reflow.sdk.decorators import (
    batch,
    card,
    catch,
    conda,
    conda_base,
    environment,
    exit_hook,
    kubernetes,
    parallel,
    project,
    pypi,
    pypi_base,
    resources,
    retry,
    schedule,
    secrets,
    timeout,
    trigger,
    trigger_on_finish,
)
from reflow.sdk.exceptions import (
    FailureHandledByCatch,
    InvalidNextException,
    MergeArtifactsException,
    MissingInMergeArtifactsException,
    UnhandledInMergeArtifactsException,
)
from reflow.sdk.flowspec import FlowSpec
from reflow.sdk.parameters import JSONType, Parameter
from reflow.sdk.steps import step

if TYPE_CHECKING:
    from reflow.sdk.configs import Config, ConfigValue
    from reflow.sdk.deferred import config_expr
    from reflow.sdk.includefile import IncludeFile
    from reflow.sdk.multicore import parallel_imap_unordered, parallel_map
    from reflow.sdk.mutable import MutableFlow, MutableStep
    from reflow.sdk.mutators import FlowMutator, StepMutator
    from reflow.sdk.parameters import JSONTypeClass
    from reflow.sdk.profiling import profile
    from reflow.sdk.s3 import S3
    from reflow.sdk.wrapping import USER_SKIP_STEP, UserStepDecorator, user_step_decorator

_LATER = {
    "JSONTypeClass": "parameters",
    "USER_SKIP_STEP": "wrapping",
    "parallel_imap_unordered": "multicore",
    "parallel_map": "multicore",
    "profile": "profiling",
    "Config": "configs",
    "ConfigValue": "configs",
    "FlowMutator": "mutators",
    "IncludeFile": "includefile",
    "MutableFlow": "mutable",
    "MutableStep": "mutable",
    "S3": "s3",
    "StepMutator": "mutators",
    "UserStepDecorator": "wrapping",
    "config_expr": "deferred",
    "user_step_decorator": "wrapping",
}
"""Names that few flows use, by the module that has them: imported when they are asked for."""

__all__ = [
    "S3",
    "USER_SKIP_STEP",
    "Config",
    "ConfigValue",
    "FailureHandledByCatch",
    "FlowMutator",
    "FlowSpec",
    "IncludeFile",
    "InvalidNextException",
    "JSONType",
    "JSONTypeClass",
    "MergeArtifactsException",
    "MissingInMergeArtifactsException",
    "MutableFlow",
    "MutableStep",
    "Parameter",
    "StepMutator",
    "UnhandledInMergeArtifactsException",
    "UserStepDecorator",
    "batch",
    "card",
    "catch",
    "conda",
    "conda_base",
    "config_expr",
    "current",
    "environment",
    "exit_hook",
    "kubernetes",
    "parallel",
    "parallel_imap_unordered",
    "parallel_map",
    "profile",
    "project",
    "pypi",
    "pypi_base",
    "resources",
    "retry",
    "schedule",
    "secrets",
    "step",
    "timeout",
    "trigger",
    "trigger_on_finish",
    "user_step_decorator",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'reflow.sdk' has no attribute {name!r}")
    value = getattr(import_module(f"reflow.sdk.{_LATER[name]}"), name)
    globals()[name] = value
    return value
