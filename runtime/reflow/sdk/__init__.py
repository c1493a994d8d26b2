"""What a user's flow is written with. Names and behaviour are Metaflow's."""

from reflow.sdk.configs import Config, ConfigValue
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
from reflow.sdk.deferred import config_expr
from reflow.sdk.exceptions import (
    FailureHandledByCatch,
    InvalidNextException,
    MergeArtifactsException,
    MissingInMergeArtifactsException,
    UnhandledInMergeArtifactsException,
)
from reflow.sdk.flowspec import FlowSpec
from reflow.sdk.includefile import IncludeFile
from reflow.sdk.parameters import JSONType, Parameter
from reflow.sdk.steps import step

__all__ = [
    "Config",
    "ConfigValue",
    "FailureHandledByCatch",
    "FlowSpec",
    "IncludeFile",
    "InvalidNextException",
    "JSONType",
    "MergeArtifactsException",
    "MissingInMergeArtifactsException",
    "Parameter",
    "UnhandledInMergeArtifactsException",
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
]
