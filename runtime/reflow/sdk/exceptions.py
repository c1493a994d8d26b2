"""What goes wrong in a user's step by the rules of a flow. Names are Metaflow's, since users catch them."""

from __future__ import annotations

from collections.abc import Sequence

from reflow.values.errors import NotFound, ReflowError, UsageError


class FlowMisuse(ReflowError):
    """A step's code broke a rule of flows; the task fails with this message."""


class InvalidNextException(FlowMisuse):
    """`self.next(…)` was called in a way that doesn't lead anywhere."""


class MergeArtifactsException(FlowMisuse):
    """`self.merge_artifacts(…)` was called where or how it can't be."""


class UnhandledInMergeArtifactsException(MergeArtifactsException):
    """Inputs disagree on artifacts: `artifact_names` lists them."""

    def __init__(self, message: str, artifact_names: Sequence[str]) -> None:
        super().__init__(message)
        self.artifact_names = list(artifact_names)

    def __reduce__(self) -> tuple[type, tuple[str, list[str]]]:
        return type(self), (str(self), self.artifact_names)


class MissingInMergeArtifactsException(MergeArtifactsException):
    """No input has the artifacts that were asked for: `artifact_names` lists them."""

    def __init__(self, message: str, artifact_names: Sequence[str]) -> None:
        super().__init__(message)
        self.artifact_names = list(artifact_names)

    def __reduce__(self) -> tuple[type, tuple[str, list[str]]]:
        return type(self), (str(self), self.artifact_names)


# As scripts know them that were written for Metaflow:
MetaflowException = ReflowError
MetaflowNotFound = NotFound
CommandException = UsageError


class MetaflowInternalError(ReflowError):
    """What scripts written for Metaflow may raise; Reflow itself doesn't."""

    headline = "Internal error"


class MetaflowInvalidPathspec(ReflowError):
    """Not the name of such an object: a run's, say, is `Flow/run`."""

    headline = "Invalid pathspec"


class MetaflowNamespaceMismatch(ReflowError):
    """The object isn't in the namespace that was chosen with `namespace(…)`."""

    headline = "Object not in the current namespace"


class MetaflowTaggingError(ReflowError):
    """A tag that can't be, or that can't be changed."""

    headline = "Tagging error"


class MetaflowUnknownUser(ReflowError):
    """What scripts written for Metaflow may raise; Reflow itself doesn't."""

    headline = "Unknown user"


class MetaflowDataMissing(ReflowError):
    """What scripts written for Metaflow may raise; Reflow itself doesn't."""

    headline = "Data missing"


class InvalidDecoratorAttribute(ReflowError):
    """What scripts written for Metaflow may raise; Reflow itself doesn't."""

    headline = "Unknown decorator attribute"


class ExternalCommandFailed(ReflowError):
    """For scripts to raise; Reflow itself doesn't."""

    headline = "External command failed"


class TimeoutException(ReflowError):
    """The step took longer than its `@timeout` lets it."""

    headline = "@timeout"


class FailureHandledByCatch:
    """What `@catch(var='x')` leaves in `self.x`: the failure of a step that was let pass.

    `type` is the exception's, with its module (`builtins.ValueError`), `exception` or `message` what it said,
    `traceback` or `stacktrace` the text of the user's frames, `retry_count` the attempt that failed last. True in a
    condition, so `if self.x:` tells whether the step failed.
    """

    def __init__(self, type: str, message: str, traceback: str, retry_count: int) -> None:
        self.type = type
        self.message = message
        self.traceback = traceback
        self.retry_count = retry_count

    @property
    def exception(self) -> str:
        """The message, under Metaflow's name."""
        return self.message

    @property
    def stacktrace(self) -> str:
        """The traceback, under Metaflow's name."""
        return self.traceback

    def __repr__(self) -> str:
        kind = self.type.removeprefix("builtins.").removeprefix("__main__.")
        return f"<failure handled by @catch: {kind}{f': {self.message}' if self.message else ''}>"

    __str__ = __repr__


DEATHS = ("OutOfMemory", "ProcessCrashed", "ProcessExited", "ProcessKilled")
"""What an attempt died of that raised nothing."""


def their_name(kind: str, alias: bool) -> str:
    """The name of an exception's type with its module, as Metaflow tells it. `alias`: `metaflow` means Reflow."""
    import builtins

    ours = "metaflow" if alias else "reflow"
    if "." in kind:
        return kind
    if kind == TimeoutException.__name__:
        return f"{ours}.plugins.timeout_decorator.{kind}"
    if kind in DEATHS:
        return f"{ours}.plugins.catch_decorator.FailureHandledByCatch"
    if kind in globals():
        return f"{ours}.exception.{kind}"
    return f"{'builtins' if hasattr(builtins, kind) else '__main__'}.{kind}"
