"""Decorators of steps and flows, one file each."""

from reflow.sdk.decorators.card import card
from reflow.sdk.decorators.catch import catch
from reflow.sdk.decorators.elsewhere import (
    batch,
    exit_hook,
    kubernetes,
    parallel,
    project,
    schedule,
    trigger,
    trigger_on_finish,
)
from reflow.sdk.decorators.environment import environment
from reflow.sdk.decorators.pypi import conda, conda_base, pypi, pypi_base
from reflow.sdk.decorators.resources import resources
from reflow.sdk.decorators.retry import retry
from reflow.sdk.decorators.secrets import secrets
from reflow.sdk.decorators.timeout import timeout

__all__ = [
    "batch",
    "card",
    "catch",
    "conda",
    "conda_base",
    "environment",
    "exit_hook",
    "kubernetes",
    "parallel",
    "project",
    "pypi",
    "pypi_base",
    "resources",
    "retry",
    "schedule",
    "secrets",
    "timeout",
    "trigger",
    "trigger_on_finish",
]
