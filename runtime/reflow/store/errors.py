"""What the store refuses for reasons of its own, beyond the errors in `values.errors`."""

from __future__ import annotations

from reflow.values.errors import FlowError, ReflowError


class RunExists(ReflowError):
    """A run id that was asked for belongs to another owner."""


class Unpicklable(FlowError):
    """A value that can't be pickled, and so can't be an artifact or an item of a foreach."""

    artifact = ""  # the artifact's name, where it is one


class TooManyItems(FlowError):
    """A foreach over more items than the run allows."""
